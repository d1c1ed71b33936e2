/** docs/mautic.md against the recordings it names, and the code against docs/mautic.md. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

const page = read("docs/mautic.md");
const headings = [...page.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading = ""]) => heading);

/** Where each kind of evidence lies. */
const folders = {
  recorded: ["tests/fixtures/mautic/", "tests/fixtures/mautic_client/"],
  "made up": ["tests/fixtures/webhook/"],
};
const kept = (kind: keyof typeof folders) =>
  new Set(
    folders[kind].flatMap((folder) => readdirSync(new URL(folder, root)))
      .filter((name) => name.endsWith(".json")).map((name) => name.replace(/\.json$/, "")),
  );
const known = { recorded: kept("recorded"), "made up": kept("made up") };

const texts = [".ts", ".sql", ".md", ".json", ".toml", ".yml", ".yaml", ".sh", ".html", ".example"];

/** The text files below a folder: paths from the root, without what is recorded or not ours. */
function files(folder = ""): string[] {
  return readdirSync(new URL(`./${folder}`, root), { withFileTypes: true }).flatMap(
    (entry) => {
      const path = folder + entry.name;
      if (entry.isDirectory()) {
        const isSkipped = ["node_modules", "fixtures"].includes(entry.name) ||
          (entry.name.startsWith(".") && entry.name !== ".github");
        return isSkipped ? [] : files(`${path}/`);
      }
      return texts.includes(extname(entry.name)) && path !== "tests/mautic/facts_unit_test.ts"
        ? [path]
        : [];
    },
  );
}

/** A text in one line: wrapped comments lose the signs at the beginning of their lines. */
const unwrap = (text: string) => text.replace(/\s*\n[ \t]*(?:(?:\*|\/\/|--) ?)?/g, " ");

const everything = files();
const code = everything.filter((path) =>
  /^(?:cli|dev|local|shared|supabase|tests)\/.*\.(?:ts|sql)$/.test(path)
);

Deno.test("every recording that docs/mautic.md names is kept", () => {
  let named = 0;
  for (const [, evidence = ""] of unwrap(page).matchAll(/\(((?:recorded|made up): [^()]*)\)/g)) {
    for (const part of evidence.split("; ")) {
      const kind = part.startsWith("made up: ") ? "made up" : "recorded";
      const names = [...part.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
      assert.ok(names.length > 0, `"${part}" names nothing`);
      for (const name of names) {
        assert.ok(known[kind].has(name), `${name} is not in ${folders[kind].join(" or ")}`);
      }
      named += names.length;
    }
  }
  assert.ok(named > 100, `${named} names were found`);
});

Deno.test("every fact of docs/mautic.md says how it is known", () => {
  const facts = page.slice(page.indexOf("\n## ")).split(/^- /m).slice(1).map(unwrap);
  assert.ok(facts.length > 60, `${facts.length} facts were found`);
  const unfounded = facts.filter((fact) =>
    !/\((?:recorded: |made up: |seen live\)|by Mautic's source)/.test(fact)
  );
  assert.deepEqual(unfounded, []);
});

Deno.test("what points at docs/mautic.md names a heading that is there", () => {
  let cited = 0;
  for (const path of code) {
    for (const [, , heading] of unwrap(read(path)).matchAll(/docs\/mautic\.md(, "([^"]*)")?/g)) {
      assert.ok(heading !== undefined, `${path} names no heading of docs/mautic.md`);
      assert.ok(headings.includes(heading), `${path}: docs/mautic.md has no "${heading}"`);
      cited++;
    }
  }
  assert.ok(cited > 40, `${cited} citations were found`);
});

Deno.test("every recording that a comment names is kept", () => {
  const list = /[Rr]ecorded: ([a-z]+(?:-[\w-]+)+(?:, [a-z]+(?:-[\w-]+)+)*)/g;
  const named = code.flatMap((path) =>
    [...unwrap(read(path)).matchAll(list)].flatMap(([, names = ""]) =>
      names.split(", ").map((name) => ({ path, name }))
    )
  );
  assert.ok(named.length > 10, `${named.length} names were found`);
  assert.deepEqual(named.filter(({ name }) => !known.recorded.has(name)), []);
});

Deno.test("no file cites papers that are not in the repository", () => {
  const papers = /\b(?:API|WEBHOOKS|HOUSE)\.md\b|\bDESIGN(?:\.md\b| section|,? §)/;
  assert.ok(everything.includes("README.md") && everything.includes("deno.json"));
  assert.deepEqual(everything.filter((path) => papers.test(read(path))), []);
});
