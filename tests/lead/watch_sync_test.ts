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

Deno.test("what became of a watched table is found, and the remedy that is given mends it", async () => {
  await using db = await watchedCompany();
  await db.sql`create table public.signup (id int primary key, email text, firm int)`;
  await db.sql`select mautic.attach('public.signup', source => 'signup')`;
  await db.sql`select mautic.watch('crm.company',
    'select s.id from public.signup s where s.firm = w.id', source => 'signup')`;
  await db.sql`insert into public.signup values (1, 'a@example.test', 1)`;
  const problems = () =>
    db.sql<{ source: string; problem: string; remedy: string }[]>`
      select source, problem, remedy from mautic.check_shape() where place = 'crm.company'`;
  async function mend(source: string, problem: RegExp) {
    const found = await problems();
    assert.deepEqual([...new Set(found.map((line) => line.source))], [source]);
    assert.match(found[0]?.problem ?? "", problem);
    await db.sql.unsafe(found[0]?.remedy ?? "");
    await db.sql`truncate mautic.lead_change`;
    await db.sql`update crm.company set id = id + 0, name = name || '!'`;
    const [dirty] = await db.sql`
      select count(*)::int as n from mautic.logged_lead where lead_id = 'signup:1'`;
    assert.equal(dirty?.["n"], 1);
  }
  assert.deepEqual([...await problems()], []);

  await db.sql`drop trigger mautic_watch_signup_update on crm.company`;
  await mend("signup", /trigger is missing/);
  await db.sql`alter table crm.company disable trigger mautic_watch_signup_update`;
  await mend("signup", /trigger is disabled/);
  assert.deepEqual([...await problems()], []);

  await db.sql`alter table public.signup rename firm to firm_id`;
  const [unread] = await problems();
  assert.match(unread?.problem ?? "", /query for its leads does not read.*firm/);
  await db.sql`alter table public.signup rename firm_id to firm`;

  await db.sql.unsafe(`select mautic.unwatch('crm.company');
    alter table crm.company rename to company_old;
    create table crm.company (id int primary key, name text, city json);
    insert into crm.company values (1, 'Acme')`);
  await mend("signup", /another one has its name/);
  assert.deepEqual([...await problems()], []);
  const left = await db.sql`
    select from pg_trigger where tgrelid = 'crm.company_old'::regclass and tgname like 'mautic%'`;
  assert.equal(left.count, 0);
});

Deno.test("what is written for a watched table follows the setting and the source", async () => {
  await using db = await watchedCompany();
  await db.sql`select mautic.set('bulk_rows', '100')`;
  await db.sql`update crm.company set name = 'A' where id = 1`;
  assert.deepEqual(await db.lanes(), { live: 15 });

  // The key is a text now, and some of the keys look like another source's.
  await db.sql.unsafe(
    `create table public.lead_text (id text primary key, email text, company_id int);
    insert into public.lead_text values ('news:1', 'a@example.test', 1);
    select mautic.detach('lead');
    select mautic.attach('public.lead_text', source => 'lead');
    select mautic.watch('crm.company', 'select p.id from public.lead_text p where p.company_id = w.id');
    create table public.news (id int primary key, email text);
    select mautic.attach('public.news', source => 'news')`,
  );
  await db.lanes();
  await db.sql`insert into crm.company values (3, 'C')`;
  await db.sql`update crm.company set id = 4 where id = 3`;
  await db.sql`delete from public.leads`;
  await db.sql`alter table public.leads drop column company_id`;
  await db.sql`delete from crm.company where id = 1`;
  assert.deepEqual(
    [...await db.sql`select lead_id from mautic.logged_lead`],
    [{ lead_id: ":news:1" }],
  );
});

Deno.test("attach tells of what is not seen only where nobody watches it", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(company);
  await db.sql`select mautic.attach('public.leads', source => 'lead', changed_at => 'l.updated_at',
    stage => '(select c.name from crm.company c where c.id = l.company_id)')`;
  const remedy = async () =>
    (await db.sql`select remedy from mautic.attach_report('lead') where role = 'stage'`)[0]
      ?.["remedy"];
  assert.match(await remedy(), /^a change of crm\.company is not seen without/);
  await db
    .sql`select mautic.watch('crm.company', 'select p.id from public.leads p where p.company_id = w.id')`;
  assert.equal(await remedy(), null);
});
