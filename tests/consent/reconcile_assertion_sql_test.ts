import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { insertLead, origin } from "../support/leads.ts";
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

const finish = (db: TestDatabase) =>
  db.sql`select mautic.assert_do_not_contact(${origin}, 0, 100, 'c'), mautic.finish_reconcile(${origin})`;

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

Deno.test("rows are asserted a page at a time, each of them once", async () => {
  await using db = await testDatabase();
  for (const [id, email] of [[3, "a@example.test"], [5, "b@example.test"], [9, "c@example.test"]]) {
    await link(db, await insertLead(db.sql, String(email)), Number(id), String(email));
    await record(db, Number(id), "bounced");
  }
  await db.sql`update public.leads set email_status = null, email_status_changed_at = null`;
  const pages = [];
  for (let after: number | null = 0; after !== null;) {
    const [row]: { page: { changed_leads: number; upto_id: number | null } }[] = await db.sql`
      select mautic.assert_do_not_contact(${origin}, ${after}, 2, 'c') as page`;
    pages.push(row!.page);
    after = row!.page.upto_id;
  }
  assert.deepEqual(pages, [{ changed_leads: 2, upto_id: 5 }, { changed_leads: 1, upto_id: null }]);
  assert.deepEqual(Object.values(await statuses(db)), ["bounced", "bounced", "bounced"]);
});

/** How often a function of schema mautic is called by `work`, in a transaction of the superuser. */
async function callsOf(
  db: TestDatabase,
  name: string,
  work: (sql: TransactionSql) => Promise<unknown>,
): Promise<number> {
  return await db.admin.begin(async (sql) => {
    await sql`set local track_functions = 'all'`;
    await work(sql);
    const [row] = await sql<{ calls: number }[]>`
      select calls::int from pg_stat_xact_user_functions
      where schemaname = 'mautic' and funcname = ${name}`;
    return row?.calls ?? 0;
  });
}

Deno.test("however many opted out, their leads are read at once: one by one takes longer than the Data API allows", async () => {
  await using db = await testDatabase();
  await db.sql`
    with lead as (
      insert into public.leads (email, email_status)
      select 'p' || n || '@example.test', 'unsubscribed' from generate_series(1, 2000) n
      returning id::text, substr(split_part(email, '@', 1), 2)::bigint as n
    ), contact as (
      insert into mautic.contact (origin, contact_id, address)
      select ${origin}, n, 'p' || n || '@example.test' from lead
    ), linked as (
      insert into mautic.contact_link (origin, lead_id, contact_id) select ${origin}, id, n from lead
    )
    insert into mautic.subscription (origin, lead_id, contact_id, status, status_at)
    select ${origin}, id, n, 'unsubscribed', mautic.clock() from lead`;
  await db.sql`
    insert into mautic.do_not_contact (origin, entry_id, contact_id, channel, kind, added_at)
    select ${origin}, n, n, 'email', 'unsubscribed', mautic.clock() from generate_series(1, 1999) n`;
  await db.sql`analyze`;
  const calls = await callsOf(db, "read_leads", async (sql) => {
    const [check] = await sql<{ found: { contact_id: number }[] }[]>`
      select mautic.contacts_to_check(${origin}, 0, 200) as found`;
    // All but one have their row in Mautic.
    assert.deepEqual(check?.found.map(({ contact_id }) => contact_id), [2_000]);
    await sql`select mautic.assert_do_not_contact(${origin}, 0, 10000, 'c')`;
  });
  assert.equal(calls, 2);
});
