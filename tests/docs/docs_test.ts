import assert from "node:assert/strict";
import { deadReasons, errorDescriptions } from "shared/errors/codes.ts";
import { testDatabase } from "../support/database.ts";
import { readPage as read } from "./page.ts";

const root = new URL("../../", import.meta.url);
Deno.test("the operator's page names every reason a lead can be given up for, with the remedy that is told with it", async () => {
  const page = await read("docs/operate.md");
  const section = page.split(/^## /m).find((part) => part.startsWith("Dead letters")) ?? "";
  const rows = section.matchAll(/^\| `(\w+)` +\| [^|]+ \| ([^|]+?) *\|$/gm);
  // But for the marks of code, to the letter.
  const told = Array.from(rows, ([, code = "", cell = ""]) => [code, cell.replaceAll("`", "")]);
  assert.deepEqual(told, deadReasons.map((code) => [code, errorDescriptions[code].remedy]));
});

Deno.test("the operator's page explains every error code", async () => {
  const page = await read("docs/operate.md");
  const missing = Object.keys(errorDescriptions).filter((code) => !page.includes(`\`${code}\``));
  assert.deepEqual(missing, []);
});

Deno.test("the operator's page names every setting of the database", async () => {
  const page = await read("docs/operate.md");
  const migration = await read("supabase/migrations/20261101000600_foundation_setting.sql");
  const settings = [...migration.matchAll(/^ {4}\('(\w+)', '/gm)].map(([, name = ""]) => name);
  assert.ok(settings.includes("history_days"));
  assert.deepEqual(settings.filter((name) => !page.includes(`\`${name}\``)), []);
});

Deno.test("the checks that the troubleshooting page names exist", async () => {
  const folder = new URL("cli/doctor/", root);
  const files = await Array.fromAsync(Deno.readDir(folder));
  const source =
    (await Promise.all(files.map(({ name }) => Deno.readTextFile(new URL(name, folder)))))
      .join("\n");
  const page = await read("docs/troubleshoot.md");
  const named = page.split("\n").flatMap((line) => {
    const last = /^\|.*\|([^|]*)\|$/.exec(line)?.[1] ?? "";
    return [...last.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, check = ""]) => check);
  });
  assert.ok(named.length > 10);
  for (const check of named) {
    const isThere = source.includes(`"${check}"`) ||
      (check.startsWith("database.") && source.includes(`"${check.slice("database.".length)}"`));
    assert.ok(isThere, `docs/troubleshoot.md names ${check}, which no check is called`);
  }
});

Deno.test("tasks, SQL functions, tables and files that the pages name exist", async () => {
  const pages = (await Promise.all(
    ["README"].concat(
      ["adapt", "dependencies", "deploy", "mautic", "operate", "security", "troubleshoot"]
        .map((page) => `docs/${page}`),
    ).map((page) => read(`${page}.md`)),
  )).join("\n");
  const names = (
    pattern: RegExp,
  ) => [...new Set([...pages.matchAll(pattern)].map(([, name = ""]) => name))];
  const { tasks } = JSON.parse(await read("deno.json"));
  assert.deepEqual(names(/deno (?:@\S+ )?task ([a-z]+)/g).filter((name) => !(name in tasks)), []);

  await using db = await testDatabase();
  const there = await db.sql<{ name: string }[]>`
    select proname as name from pg_proc where pronamespace = 'mautic'::regnamespace
    union select relname from pg_class where relnamespace = 'mautic'::regnamespace`;
  const known = new Set(there.map(({ name }) => name));
  // The doctor's checks of the same prefix, and Mautic's events, are no objects of the schema.
  const named = names(/(?<![\w.-])mautic\.([a-z_]+)(?=[(`;, ']|\n)/g).filter((name) =>
    !["email_on_bounce", "lead_channel_subscription_changed", "example"].includes(name) &&
    !["address", "api", "campaign", "credentials", "field", "required_fields", "version"].includes(
      name,
    )
  );
  assert.ok(named.length > 8);
  assert.deepEqual(named.filter((name) => !known.has(name)), []);

  for (const path of names(/`((?:supabase|shared|local|tests)\/[\w./-]+)`/g)) {
    // The reader makes these.
    if (path.includes("/.env") || path.endsWith("/functions/.env")) continue;
    await Deno.stat(new URL(path, root));
  }
});
