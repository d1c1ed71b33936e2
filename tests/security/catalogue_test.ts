import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { findings } from "./catalogue.ts";

Deno.test("nothing in the database can be reached by more than needs it", async () => {
  await using db = await testDatabase();
  assert.deepEqual(await findings(db.sql), []);
});

const schema = "mautic.planted";
const planted: [what: string, sql: string, rule: RegExp][] = [
  ["a new table", `create table ${schema} (id int)`, /^row level security is off$/],
  ["a new table in public", `create table public.planted (id int)`, /^row level security is off$/],
  [
    "row level security taken off leads",
    "alter table public.leads disable row level security",
    /^row level security is off$/,
  ],
  [
    "a policy",
    "create policy open on mautic.outbox using (true)",
    /^a policy lets somebody/,
  ],
  [
    "a new function",
    `create function ${schema}() returns int language sql set search_path = '' as 'select 1'`,
    /^a function of schema mautic can be called/,
  ],
  [
    "a new function for anon",
    "grant execute on function mautic.has_work() to anon",
    /^a function of schema mautic can be called/,
  ],
  ["a table for anon", "grant select on mautic.contact to anon", /^somebody may use a table/],
  [
    "a column for authenticated",
    "grant select (lead_id) on mautic.outbox to authenticated",
    /^somebody may use a table/,
  ],
  [
    "a sequence for everybody",
    "grant usage on sequence mautic.lead_change_id_seq to public",
    /^somebody may use a table/,
  ],
  [
    "a table for service_role",
    "grant select on mautic.oauth_token to service_role",
    /^somebody may use a table/,
  ],
  ["the schema for anon", "grant usage on schema mautic to anon", /^somebody may enter/],
  [
    "building for service_role",
    "grant create on schema mautic to service_role",
    /^somebody may enter/,
  ],
  [
    "truncate for anon",
    "grant truncate on public.leads to anon",
    /^the public roles have a right on leads/,
  ],
  [
    "leads for everybody",
    "grant select on public.leads to public",
    /^the public roles have a right on leads/,
  ],
  [
    "a search path",
    "alter function mautic.settle(text, uuid, jsonb, text, boolean, int) reset search_path",
    /^a function's search path/,
  ],
  [
    "a search path with a schema",
    "alter function mautic.has_work() set search_path = public",
    /^a function's search path/,
  ],
  [
    "an inlined function as its owner",
    "alter function mautic.clock() security definer",
    /^a function's search path/,
  ],
  ["a view", `create view ${schema} as select 1 as one`, /^a view shows/],
  [
    "a function in public",
    "create function public.planted() returns int language sql as 'select 1'",
    /^a function of ours is in schema public$/,
  ],
  [
    "a default privilege",
    "alter default privileges in schema mautic grant select on tables to anon",
    /^what is made in schema mautic later/,
  ],
  [
    "a right to pass on",
    "grant execute on function mautic.has_work() to service_role with grant option",
    /^a right may be passed on$/,
  ],
];

Deno.test("the check of the catalogue finds whatever is planted against it", async () => {
  await using db = await testDatabase();
  const session = await db.sql.reserve();
  try {
    for (const [what, statement, rule] of planted) {
      await session`begin`;
      await session.unsafe(statement);
      const found = await findings(session);
      await session`rollback`;
      assert.ok(found.some((each) => rule.test(each.rule)), `${what}: ${JSON.stringify(found)}`);
    }
  } finally {
    session.release();
  }
});

Deno.test("the check of the catalogue finds an object of the superuser, planted", async () => {
  await using db = await testDatabase();
  await db.admin`alter function mautic.has_work() owner to supabase_admin`;
  assert.match((await findings(db.sql))[0]?.rule ?? "", /belongs to a superuser/);
});

Deno.test("service_role may call what the edge functions call, and nothing else", async () => {
  await using db = await testDatabase();
  const granted = await db.sql<{ name: string }[]>`
    select distinct p.proname::text as name from pg_proc p
    where p.pronamespace = 'mautic'::regnamespace
      and has_function_privilege('service_role', p.oid, 'execute')`;
  assert.deepEqual(granted.map(({ name }) => name).sort(), await calledRoutines());
});

/** The names in `call("…", …)` (shared/database/call.ts), which the compiler holds against the migrations. */
async function calledRoutines(): Promise<string[]> {
  const root = new URL("../../", import.meta.url);
  const sources = await Promise.all(["shared", "supabase/functions"].map(async (folder) => {
    const files: string[] = [];
    const walk = async (at: URL) => {
      for await (const entry of Deno.readDir(at)) {
        if (entry.isDirectory) await walk(new URL(`${entry.name}/`, at));
        else if (entry.name.endsWith(".ts")) {
          files.push(await Deno.readTextFile(new URL(entry.name, at)));
        }
      }
    };
    await walk(new URL(`${folder}/`, root));
    return files;
  }));
  const names = sources.flat().flatMap((source) =>
    [...source.matchAll(/(?<![.\w])call\(\s*"(\w+)"/g)].map(([, name = ""]) => name)
  );
  return [...new Set(names)].sort();
}
