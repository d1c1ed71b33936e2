import assert from "node:assert/strict";
import { insertLead, origin } from "../database/support.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { link, statuses, time } from "./support.ts";

/** What a reconciliation read in Mautic: one row. */
async function record(db: TestDatabase, contactId: number, kind: string): Promise<void> {
  const rows = [{
    id: contactId,
    contact_id: contactId,
    channel: "email",
    kind,
    added_at: time(0),
  }];
  await db.sql`select mautic.record_do_not_contact(${origin}, ${
    db.sql.json(rows)
  }, null, null, 'c')`;
}

const finish = (db: TestDatabase) => db.sql`select mautic.finish_reconcile(${origin})`;

Deno.test("a lead that was deleted and inserted again is opted out again by the next reconciliation", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "again@example.test");
  await link(db, id, 7, "again@example.test");
  await record(db, 7, "unsubscribed");
  assert.deepEqual(await statuses(db), { "again@example.test": "unsubscribed" });
  await db.sql`delete from public.leads`;
  await db.sql`insert into public.leads (id, email) values (${id}, 'again@example.test')`;
  await record(db, 7, "unsubscribed");
  await finish(db);
  assert.deepEqual(await statuses(db), { "again@example.test": "unsubscribed" });
});

Deno.test("what happens to one contact does not reach a lead of another contact with the same address", async () => {
  await using db = await testDatabase();
  const one = await insertLead(db.sql, "same@example.test");
  const other = await insertLead(db.sql, "other@example.test");
  await link(db, one, 1, "same@example.test");
  await link(db, other, 2, "other@example.test");
  // It moved to an address that another contact has, and is not sent yet, or cannot be.
  await db.sql`update public.leads set email = 'same@example.test' where id = ${other}`;
  await record(db, 2, "unsubscribed");
  const rows = await db.sql<{ id: string; email_status: string | null }[]>`
    select id, email_status from public.leads`;
  assert.deepEqual(
    Object.fromEntries(rows.map((row) => [row.id, row.email_status])),
    { [one]: null, [other]: "unsubscribed" },
  );
});

Deno.test("a status that somebody wrote over Mautic's opt-out is Mautic's again after one reconciliation", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "hand@example.test");
  await link(db, id, 7, "hand@example.test");
  for (const kind of ["unsubscribed", "bounced"]) {
    await record(db, 7, kind);
    for (const written of ["subscribed", null]) {
      await db.sql`
        update public.leads
        set email_status = ${written}, email_status_changed_at = mautic.clock()
        where id = ${id}`;
      await finish(db);
      assert.deepEqual(await statuses(db), { "hand@example.test": kind });
    }
  }
  // What Mautic says later still counts.
  await db.sql`
    select mautic.settle_check(${origin}, (
      select jsonb_agg(c || '{"result": "lifted"}')
      from (
        select jsonb_build_object('contact_id', 7, 'state_at', l.email_status_changed_at) as c
        from public.leads l
      ) c), 'c')`;
  assert.deepEqual(await statuses(db), { "hand@example.test": "subscribed" });
});
