/** What `deno test` prints, and writes with `--junit-path`, read. */

/** How many tests passed, and what failed. */
export interface Outcome {
  passed: number;
  failures: string[];
}

const testcase = /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/**
 * Reads a JUnit report. Every step counts as a test; skipped ones are neither passed nor failed. A
 * failure is named by file, test and the beginning of its message, at most 300 characters of it.
 */
export function readReport(xml: string): Outcome {
  const failures: string[] = [];
  let passed = 0;
  for (const [, head = "", content = ""] of xml.matchAll(testcase)) {
    const failure = /<(?:failure|error)\b[^>]*/.exec(content)?.[0];
    if (failure !== undefined) {
      const message = attribute(failure, "message").slice(0, 300);
      failures.push(`${attribute(head, "classname")}: ${attribute(head, "name")}: ${message}`);
    } else if (!content.includes("<skipped")) passed++;
  }
  return { passed, failures };
}

/**
 * The test that began last, by its file, where what is printed does not tell of its end; for a run
 * that was ended.
 */
export function inFlight(printed: string): string | undefined {
  let file = "";
  let open: string | undefined;
  for (const coloured of printed.split("\n")) {
    // deno-lint-ignore no-control-regex -- colours begin with one
    const line = coloured.replace(/\u001b\[[\d;]*m/g, "").trimEnd();
    file = /^running \d+ tests? from (.*)$/.exec(line)?.[1] ?? file;
    const [, name, rest] = /^(\S.*?) \.\.\.(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (rest === "") open = `${file}: ${name}`;
    else if (open === `${file}: ${name}`) open = undefined;
  }
  return open;
}

const characters: Record<string, string> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };

function attribute(element: string, name: string): string {
  const text = new RegExp(`\\b${name}="([^"]*)"`).exec(element)?.[1] ?? "";
  return text.replace(/&(\w+);/g, (entity, letter: string) => characters[letter] ?? entity);
}
