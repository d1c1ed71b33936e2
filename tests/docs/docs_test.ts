import assert from "node:assert/strict";
import { deadReasons, errorDescriptions } from "shared/errors/codes.ts";
import { migrate } from "../../local/supabase/migrate.ts";
import { claim, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** The fenced blocks of a page in one language, without the indentation of a list. */
function blocks(page: string, language: string): string[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\n(.*?)\n *\`\`\``, "gms");
  return [...page.matchAll(fence)].map(([, indent = "", text = ""]) =>
    text.split("\n").map((line) => line.startsWith(indent) ? line.slice(indent.length) : line)
      .join("\n")
  );
}

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
    !["address", "api", "campaign", "credentials", "field", "version"].includes(name)
  );
  assert.ok(named.length > 8);
  assert.deepEqual(named.filter((name) => !known.has(name)), []);

  for (const path of names(/`((?:supabase|shared|local|tests)\/[\w./-]+)`/g)) {
    // The reader makes these.
    if (path.includes("/.env") || path.endsWith("/functions/.env")) continue;
    await Deno.stat(new URL(path, root));
  }
});

Deno.test("the worked example of another leads table works to the letter", async () => {
  const page = await read("docs/adapt.md");
  const [script = ""] = blocks(page, "sh");
  const [table = "", view = "", columns = ""] = blocks(page, "sql");
  assert.match(view, /^create view mautic\.lead/);
  await using db = await testDatabase({ migrations: false });
  await db.sql.unsafe(table);

  const workdir = await Deno.makeTempDir({ prefix: "lead-sync-" });
  try {
    await copyMigrations(workdir);
    const { success, stderr } = await new Deno.Command("sh", {
      args: ["-euc", script],
      cwd: workdir,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const folder = `${workdir}/supabase/migrations/`;
    await edit(`${folder}20261101010300_lead_view.sql`, /^create view mautic\.lead .*?;$/ms, view);
    const lists = /^ *n\.email, .*?o\.email, .*?(?=\n *\)\n)/ms;
    await edit(`${folder}20261101030200_outbox_triggers.sql`, lists, columns);
    await migrate({ databaseUrl: db.url, workdir });
  } finally {
    await Deno.remove(workdir, { recursive: true });
  }

  await db.sql`
    insert into crm.customer (mail, stage, opted_in, rating, profile)
    values (' Ada@Example.test ', 'qualified', true, 90, '{"first_name": "Ada", "utm": {"source": "google"}}')`;
  const first = await claim(db.sql, await startWorker(db.sql));
  assert.equal(first.items[0]?.lead_id, "1");
  assert.equal(first.items[0]?.address, "ada@example.test");
  assert.deepEqual(first.items[0]?.payload, {
    id: "1",
    crm_status: "qualified",
    consent: { marketing_opt_in: true },
    ml: { score: 90 },
    contact: {
      email: " Ada@Example.test ",
      first_name: "Ada",
      last_name: null,
      phone: null,
      company: null,
    },
    utm: { source: "google", campaign: null },
  });

  const changes = async () => (await db.sql`select from mautic.lead_change`).count;
  await db.sql`update crm.customer set updated_at = now()`;
  assert.equal(await changes(), 0);
  await db.sql`update crm.customer set profile = profile || '{"phone": "1"}'`;
  assert.equal(await changes(), 1);
  await db.sql`select mautic.write_email_status('{1}', '{bounced}', array[now()])`;
  const [row] = await db.sql<{ email_status: string }[]>`select email_status from crm.customer`;
  assert.equal(row?.email_status, "bounced");
  assert.equal(await changes(), 1);
});

async function edit(file: string, place: RegExp, text: string): Promise<void> {
  const before = await Deno.readTextFile(file);
  assert.match(before, place);
  await Deno.writeTextFile(file, before.replace(place, () => text));
}

/** The migrations as they are now, in a folder that the Supabase CLI takes for a project. */
async function copyMigrations(workdir: string): Promise<void> {
  const folder = new URL("supabase/migrations/", root);
  await Deno.mkdir(`${workdir}/supabase/migrations`, { recursive: true });
  await Deno.copyFile(new URL("supabase/config.toml", root), `${workdir}/supabase/config.toml`);
  for await (const { name } of Deno.readDir(folder)) {
    await Deno.copyFile(new URL(name, folder), `${workdir}/supabase/migrations/${name}`);
  }
}
