import assert from "node:assert/strict";
import { claim, done, insertLead, settle, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

Deno.test("a late answer brings no erased person back into the tables", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "gone@example.test");
  const worker = await startWorker(db.sql);
  const claimed = await claim(db.sql, worker);
  // The worker freezes, its lease runs out, another one takes over; then the person is erased.
  await db.sql`update mautic.outbox set lease_expires_at = mautic.clock()`;
  const other = await claim(db.sql, worker);
  await settle(db.sql, other.lease_token, [{
    lead_id: id,
    result: "retry",
    delay_ms: 1000,
    error_code: "unavailable",
  }]);
  await db.sql`select mautic.erase('gone@example.test', delete_leads => true)`;
  await settle(db.sql, claimed.lease_token, [{
    ...done(id, 7, "gone@example.test"),
    lead_address: "gone@example.test",
  }]);
  const left = await db.sql`select address from mautic.contact where address = 'gone@example.test'`;
  assert.deepEqual([...left], []);
});

Deno.test("a person whose row vanished past the triggers is forgotten, too", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "gone@example.test");
  await db.sql`select mautic.fold(10)`;
  await db.sql`delete from mautic.outbox where true`;
  await db
    .sql`insert into mautic.stage_change (lead_id, to_stage, changed_at) values (${id}, 'new', now())`;
  await db.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`delete from public.leads`;
  });
  await db.sql`select mautic.erase('gone@example.test')`;
  assert.equal((await db.sql`select from mautic.lead_state`).count, 0);
  assert.equal((await db.sql`select from mautic.stage_change`).count, 0);
});
