import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";

const company = `
  create schema crm;
  create table crm.company (id int primary key, name text, city json);
  alter table public.leads add column company_id int references crm.company;
  insert into crm.company values (1, 'Acme'), (2, 'Bolt')`;

Deno.test("a change of a watched table reaches the leads that read it, and no others", async () => {
  await using sync = await startSync();
  await sync.sql.unsafe(company);
  await sync.sql`select mautic.map_field(
    'company', '(select c.name from crm.company c where c.id = l.company_id)')`;
  await sync.sql`select mautic.watch(
    'crm.company', lead => 'select p.id from public.leads p where p.company_id = w.id')`;
  await sync.sql`insert into public.leads (email, company_id) values
    ('a@example.test', 1), ('b@example.test', 2)`;
  await sync.drain();
  const name = (address: string) => sync.mautic.contactByEmail(address)?.values.get("company");
  assert.deepEqual([name("a@example.test"), name("b@example.test")], ["Acme", "Bolt"]);

  await sync.sql`update crm.company set name = 'Acme Corp' where id = 1`;
  const [logged] = await sync.sql`select count(*)::int as n from mautic.lead_change`;
  assert.equal(logged?.["n"], 1);
  await sync.drain();
  assert.deepEqual([name("a@example.test"), name("b@example.test")], ["Acme Corp", "Bolt"]);
});

Deno.test("a watched table's writes pass whatever became of what the query reads", async () => {
  await using sync = await startSync();
  await sync.sql.unsafe(company);
  await sync.sql`select mautic.watch(
    'crm.company', lead => 'select p.id from public.leads p where p.company_id = w.id')`;
  await sync.sql`alter table public.leads rename column company_id to firm_id`;
  await sync.sql`update crm.company set name = 'X'`;
  assert.equal((await sync.sql`select from mautic.table_change where cause = 'suspect'`).count, 1);
  await sync.sql`select mautic.unwatch('crm.company')`;
  const left = await sync.sql`
    select from pg_trigger where tgrelid = 'crm.company'::regclass and tgname like 'mautic%'`;
  assert.equal(left.count, 0);
});

for (
  const [what, query] of Object.entries({
    "a second statement": "select 1; delete from crm.company",
    "two columns": "select p.id, p.email from public.leads p",
    "no query": "1",
    "an end of its own": "select p.id from public.leads p) as k(mautic_key), (select 1",
  })
) {
  Deno.test(`watch() refuses ${what}`, async () => {
    await using sync = await startSync();
    await sync.sql.unsafe(company);
    await assert.rejects(
      sync.sql`select mautic.watch('crm.company', ${query})`.execute(),
      /lead =>/,
    );
    assert.equal((await sync.sql`select from crm.company`).count, 2);
  });
}

/** A database with two companies of many leads each, of which a field reads the name. */
async function watchedCompany() {
  const db = await testDatabase();
  await db.sql.unsafe(company);
  await db.sql.unsafe("alter table crm.company add column last_seen timestamptz");
  await db.sql`select mautic.set('bulk_rows', '10')`;
  await db.sql`select mautic.map_field(
    'company', '(select c.name from crm.company c where c.id = l.company_id)')`;
  await db.sql`select mautic.watch(
    'crm.company', lead => 'select p.id from public.leads p where p.company_id = w.id')`;
  await db.sql`insert into public.leads (email, company_id)
    select 'p' || i || '@example.test', 1 + i % 2 from generate_series(1, 30) i`;
  /** How many leads each lane got since the last call. */
  async function lanes(): Promise<Record<string, number>> {
    const rows = await db.sql<{ lane: string; n: number }[]>`
      with gone as (delete from mautic.lead_change where true returning lane)
      select lane, count(*)::int as n from gone group by lane`;
    return Object.fromEntries(rows.map(({ lane, n }) => [lane, n]));
  }
  await lanes();
  return { ...db, lanes };
}

Deno.test("one watched row of many leads is bulk: the lane goes by the leads", async () => {
  await using db = await watchedCompany();
  await db.sql`update crm.company set name = 'Acme Corp' where id = 1`;
  assert.deepEqual(await db.lanes(), { bulk: 15 });
  await db.sql`select mautic.set('bulk_rows', '100')`;
  await db.lanes();
  await db.sql`update crm.company set name = 'Bolt Corp' where id = 2`;
  assert.deepEqual(await db.lanes(), { live: 15 });
});

Deno.test("an update of a watched table that changes nothing that is read makes nobody dirty", async () => {
  await using db = await watchedCompany();
  await db.sql`update crm.company set last_seen = now(), city = '{}'`;
  await db.sql`update crm.company set name = name`;
  assert.deepEqual(await db.lanes(), {});
  await db.sql`update crm.company set name = case id when 1 then 'Bolt' else 'Acme' end`;
  assert.deepEqual(await db.lanes(), { bulk: 30 });

  await db.sql`select mautic.map_field(
    'city', '(select c.city ->> ''name'' from crm.company c where c.id = l.company_id)')`;
  await db.sql`update crm.company set last_seen = now()`;
  assert.deepEqual(await db.lanes(), {});
  await db.sql`update crm.company set city = '{"name": "Bonn"}' where id = 1`;
  assert.deepEqual(await db.lanes(), { bulk: 15 });
});

Deno.test("what a function reads of a watched table cannot be told, so that all of its columns count", async () => {
  await using db = await watchedCompany();
  await db.sql.unsafe(`create function crm.seen(int) returns text language sql stable as
    'select last_seen::text from crm.company where id = $1'`);
  await db.sql`select mautic.map_field('seen', 'crm.seen(l.company_id)')`;
  await db.sql`update crm.company set last_seen = now() where id = 1`;
  assert.deepEqual(await db.lanes(), { bulk: 15 });
});

Deno.test("the triggers on somebody else's table are left there and do nothing", async () => {
  await using db = await testDatabase();
  await db.admin.unsafe(`create schema auth;
    create table auth.users (id uuid primary key, email text);
    grant usage on schema auth to postgres;
    grant select, trigger on auth.users to postgres`);
  const watch = () => db.sql`select mautic.watch('auth.users', lead => 'select w.id')`;
  const write = () => db.admin`insert into auth.users values (gen_random_uuid(), 'a@example.test')`;
  const seen = async () =>
    (await db.sql`delete from mautic.lead_change where true returning 1`).count;
  await watch();
  await write();
  assert.equal(await seen(), 1);

  const [answer] = await db.sql`select mautic.unwatch('auth.users') as text`;
  assert.match(
    answer?.["text"],
    /do nothing.*drop trigger mautic_watch_lead_insert on auth\.users/,
  );
  await write();
  assert.equal(await seen(), 0);

  await watch();
  await write();
  assert.equal(await seen(), 1);
  const [detached] = await db.sql`select mautic.detach('lead') as text`;
  assert.match(detached?.["text"], /drop trigger mautic_watch_lead_insert on auth\.users/);
  await write();
  assert.equal((await db.sql`select from mautic.table_change`).count, 0);
});
