import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { insertLead } from "../support/leads.ts";

for (
  const [what, leads] of [["one lead", 1], ["a bulk", 300]] as const
) {
  Deno.test(`a writer who does not wait for a worker that is leaving has the deletion of ${what} logged as it is`, async () => {
    await using db = await testDatabase();
    await db.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
    await insertLead(db.sql, "a@example.test");
    await db
      .sql`insert into public.leads (email) select 'b' || i || '@example.test' from generate_series(2, ${leads}) i`;
    await db.sql`select mautic.fold(2147483647)`;

    // As mautic.leave_worker() holds it until its transaction ends.
    const leaving = await db.sql.reserve();
    await leaving`begin`;
    await leaving`select pg_try_advisory_xact_lock(mautic.doorbell_lock())`;
    await db.sql.begin(async (sql) => {
      await sql`set local lock_timeout = '50ms'`;
      await sql`delete from public.leads`;
    });
    await leaving`commit`;
    leaving.release();

    const logged = await db.sql`
      select c.cause, c.removal, count(*)::int as leads from mautic.logged_lead c group by 1, 2`;
    assert.deepEqual([...logged], [{ cause: "delete", removal: "delete_contact", leads }]);
  });
}

// Of a watched table nothing is logged by key: its source is suspect then, and a comparison of the source's own table
// finds nothing. The change is lost.
Deno.test("a writer of a watched table who does not wait for a worker that is leaving has its leads queued", async () => {
  await using db = await testDatabase();
  // The example of docs/adapt.md, "A person of a company".
  await db.sql.unsafe(`
    create schema crm;
    create table crm.company (id bigint primary key, name text, industry text);
    create table crm.person (id bigint primary key, email text, company_id bigint references crm.company);
    select mautic.attach('crm.person', source => 'person');
    select mautic.map_field('company', '(select c.name from crm.company c where c.id = l.company_id)', source => 'person');
    select mautic.watch('crm.company', lead => 'select p.id from crm.person p where p.company_id = w.id', source => 'person');
    insert into crm.company values (1, 'Acme', 'x');
    insert into crm.person values (7, 'p@example.test', 1);`);
  await db.sql`select mautic.fold(2147483647)`;
  await db.sql`select mautic.read_unseen('1 minute')`;
  await db.sql`delete from mautic.outbox where true`;

  const leaving = await db.sql.reserve();
  await leaving`begin`;
  await leaving`select pg_try_advisory_xact_lock(mautic.doorbell_lock())`;
  await db.sql.begin(async (sql) => {
    await sql`set local lock_timeout = '50ms'`;
    await sql`update crm.company set name = 'Bolt' where id = 1`;
  });
  await leaving`commit`;
  leaving.release();

  // All that would find it: the suspect source is compared, and what that queues is folded.
  await db.sql`select mautic.compare('1 minute')`;
  await db.sql`select mautic.fold(2147483647)`;
  const queued = await db.sql`select lead_id from mautic.outbox`;
  assert.deepEqual([...queued], [{ lead_id: "person:7" }]);
});
