import assert from "node:assert/strict";

const folder = new URL("../../supabase/migrations/", import.meta.url);

/** What a file makes and what it names, by the names of the two schemas; texts and comments aside. */
function namesIn(sql: string): { made: string[]; named: string[] } {
  const code = sql.replace(/--[^\n]*|'(?:[^']|'')*'/g, "''");
  const made = code.matchAll(
    /\bcreate (?:unlogged )?(?:table|function|type|view)\s+(?:if not exists )?(?:mautic|public)\.(\w+)/g,
  );
  const named = code.matchAll(/\b(?:mautic|public)\.(\w+)/g);
  const names = (
    found: Iterable<RegExpMatchArray>,
  ) => [...new Set(Array.from(found, ([, name = ""]) => name))];
  return { made: names(made), named: names(named) };
}

Deno.test("no migration names anything that a later one makes: they are read downwards", async () => {
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  const made = new Set<string>();
  const ahead: string[] = [];
  for (const file of files) {
    const names = namesIn(await Deno.readTextFile(new URL(file, folder)));
    for (const name of names.made) made.add(name);
    ahead.push(...names.named.filter((name) => !made.has(name)).map((name) => `${file}: ${name}`));
  }
  assert.ok(made.has("settle") && made.has("lead_change"));
  assert.deepEqual(ahead, []);
});

Deno.test("a migration's name is its chapter and its one subject, and chapters do not mix", async () => {
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  const chapters = new Map<string, string>();
  for (const file of files) {
    const [, number = "", word = ""] = /^20261101(\d\d)\d\d00_([a-z]+)_[a-z_]+\.sql$/.exec(file) ??
      [];
    assert.ok(word, `${file} is not named <date><chapter><number>00_<chapter>_<subject>.sql`);
    const known = chapters.get(number) ?? word;
    assert.equal(word, known, `${file} stands in the chapter ${known}`);
    chapters.set(number, known);
  }
  assert.equal(new Set(chapters.values()).size, chapters.size);
});

/** The project's files of these kinds, as text by path; what tools leave in folders of their own aside. */
async function textsIn(at: URL): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(at)) {
    if (name.startsWith(".") || ["fixtures", "node_modules"].includes(name)) continue;
    if (isDirectory) {
      for (const [path, text] of await textsIn(new URL(`${name}/`, at))) texts.set(path, text);
    } else if (/\.(?:ts|sql|md)$/.test(name)) {
      const file = new URL(name, at);
      texts.set(file.pathname, await Deno.readTextFile(file));
    }
  }
  return texts;
}

Deno.test("every migration that a comment, a message or a page names exists", async () => {
  const files = await Array.fromAsync(Deno.readDir(folder));
  const known = new Set(files.map(({ name }) => name.replace(/^\d+_|\.sql$/g, "")));
  const named: string[] = [];
  const missing: string[] = [];
  for (const [path, text] of await textsIn(new URL("../../", import.meta.url))) {
    for (const [list] of text.matchAll(/\bmigrations?\s+(?:(?:,|and|or|--|\*|\s)*"\w+")+/g)) {
      const names = Array.from(list.matchAll(/"(\w+)"/g), ([, name = ""]) => name);
      named.push(...names);
      missing.push(...names.filter((name) => !known.has(name)).map((name) => `${path}: ${name}`));
    }
  }
  assert.ok(named.includes("outbox_queue") && named.includes("worker_lease"));
  assert.deepEqual(missing, []);
});
