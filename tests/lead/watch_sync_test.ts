import assert from "node:assert/strict";
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
