import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { migrations, session } from "./support.ts";

Deno.test("wherever a push stops, a live application goes on inserting, updating and deleting", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql.unsafe(`
    create table public.leads (id bigint generated always as identity primary key, email text, company text);
    alter table public.leads enable row level security;
    create policy app on public.leads to authenticated using (true) with check (true);
    grant select, insert, update, delete, truncate on public.leads to authenticated`);
  await db.sql`insert into public.leads (email) values ('there@example.test')`;
  await using app = { sql: session(db), [Symbol.asyncDispose]: () => app.sql.end() };
  await app.sql`set role authenticated`;

  for (const { name, text } of await migrations()) {
    await db.sql.begin((sql) => sql.unsafe(text).simple());
    for (const isolation of ["read committed", "repeatable read", "serializable"]) {
      await app.sql.begin(`isolation level ${isolation}`, async (sql) => {
        await sql`insert into public.leads (email) values ('a@example.test'), ('b@example.test')`;
        await sql`update public.leads set company = ${name} where email <> 'there@example.test'`;
        await sql`delete from public.leads where email <> 'there@example.test'`;
      }).catch((error) => assert.fail(`after ${name}, ${isolation}: ${error}`));
    }
  }
  await app.sql`update public.leads set company = 'C'`;
  const [last] = await db.sql`
    select lead_id, cause, bit_count(changed[1]::bit(64))::int as changed from mautic.logged_lead order by id desc limit 1`;
  assert.deepEqual({ ...last }, { lead_id: "1", cause: "update", changed: 1 });
});

const foreign: [what: string, sql: string, named: RegExp][] = [
  ["a table", "create table mautic.contact (id int, email text)", /table contact/],
  [
    "a view and a function",
    "create view mautic.report as select 1 as n; create function mautic.f() returns int language sql as 'select 1'",
    /function f\(\), view report/,
  ],
  ["a type", "create type mautic.mood as enum ('good')", /type mood/],
  ["a sequence", `create sequence mautic."Odd %s"`, /sequence "Odd %s"/],
  ["nothing, but rights", "grant usage on schema mautic to anon", /anon=U.*In it: nothing/],
];
for (const [what, sql, named] of foreign) {
  Deno.test(`a schema mautic of the application's own, with ${what} in it, is refused by the first file and left as it was`, async () => {
    await using db = await testDatabase({ migrations: false });
    await db.sql.unsafe(`create schema mautic; ${sql}`);
    const before = await db.sql`
      select n.nspacl::text, obj_description(n.oid) as comment, count(c.oid) from pg_namespace n
      left join pg_class c on c.relnamespace = n.oid where n.nspname = 'mautic' group by n.oid`;
    const [first] = await migrations();
    await assert.rejects(db.sql.begin((sql) => sql.unsafe(first!.text).simple()), named);
    const after = await db.sql`
      select n.nspacl::text, obj_description(n.oid) as comment, count(c.oid) from pg_namespace n
      left join pg_class c on c.relnamespace = n.oid where n.nspname = 'mautic' group by n.oid`;
    assert.deepEqual([...after], [...before]);
  });
}

Deno.test("a schema mautic of somebody else's is refused although it is empty", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.admin`create schema mautic`;
  const [first] = await migrations();
  await assert.rejects(
    db.sql.begin((sql) => sql.unsafe(first!.text).simple()),
    /Owner: supabase_admin/,
  );
});

const activities = [
  "create table public.lead_activity (id uuid primary key default gen_random_uuid(), lead_id uuid not null, kind text not null)",
  `create table public.lead_activity (id uuid primary key default gen_random_uuid(), lead_id uuid not null references public.leads,
     type text not null check (type in ('call', 'note')), occurred_at timestamptz not null default now(), actor uuid not null)`,
  "create view public.lead_activity as select 1 as lead_id, now() as occurred_at",
  "create materialized view public.lead_activity as select 1 as lead_id",
  "create type public.lead_activity as (lead_id text)",
  "create sequence public.lead_activity",
];
for (const [n, statement] of activities.entries()) {
  Deno.test(`the application's own lead_activity is left alone (${n + 1})`, async () => {
    await using db = await testDatabase({ migrations: false });
    await db.sql.unsafe(`
      create table public.leads (id uuid primary key default gen_random_uuid(), email text, email_status text default 'verified');
      ${statement}`);
    const state = () =>
      db.sql`
        select c.relacl::text as rights, c.relrowsecurity, c.relowner::regrole::text, obj_description(c.oid) as comment,
          array(select a.attname || coalesce(a.attacl::text, '') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0)::text as columns,
          array(select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid)::text as indexes
        from pg_class c where c.relname in ('lead_activity', 'leads') and c.relnamespace = 'public'::regnamespace
        order by c.relname`;
    const before = await state();
    for (const { text } of await migrations()) {
      await db.sql.begin((sql) => sql.unsafe(text).simple());
    }
    assert.deepEqual([...await state()], [...before]);
    await db.sql`insert into public.leads (email) values ('a@example.test')`;
    assert.equal((await db.sql`select from mautic.lead_change`).count, 1);
  });
}

Deno.test("without a leads table ours is made beside the application's own lead_activity", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql`create view public.lead_activity as select 1 as lead_id`;
  for (const { text } of await migrations()) {
    await db.sql.begin((sql) => sql.unsafe(text).simple());
  }
  const [source] = await db.sql`select schema_name, table_name, activity from mautic.attachment`;
  assert.deepEqual({ ...source }, {
    schema_name: "public",
    table_name: "leads",
    activity: null,
  });
});
