/** What the tests take out of the pages. */

const root = new URL("../../", import.meta.url);

export const readPage = (path: string) => Deno.readTextFile(new URL(path, root));

/** The text under a heading of the second level, up to the next one. */
export function sectionOf(page: string, heading: string): string {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`the page has no section "${heading}"`);
  return section;
}

/** The fenced blocks in one language. */
export function blocksOf(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)\n\`\`\``, "gms");
  return Array.from(text.matchAll(fence), ([, block = ""]) => block);
}

/** The rows of the first table, cell by cell, without its head. */
export function tableOf(text: string): string[][] {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => line.startsWith("|"));
  const rest = lines.slice(head + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, end === -1 ? undefined : end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}
