import assert from "node:assert/strict";
import { claim, insertLead, outbox, settle, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";
import { startSync, type Sync } from "../support/sync.ts";

const highValue = { crm_status: "qualified", marketing_opt_in: true, ml_score: 85 };

async function erase(sync: Pick<Sync, "sql">, address: string, more = "") {
  const [row] = await sync.sql.unsafe<{ report: Record<string, unknown> }[]>(
    `select mautic.erase($1${more}) as report`,
    [address],
  );
  return row!.report;
}

/** Every text and jsonb value of schemas public and mautic, in one string. */
async function everything(sync: Pick<Sync, "sql">): Promise<string> {
  const tables = await sync.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'mautic'::regnamespace)`;
  let text = "";
  for (const { name } of tables) {
    const rows = await sync.sql.unsafe(`select to_jsonb(t)::text as row from ${name} t`);
    text += rows.map((row) => `${name} ${row["row"]}\n`).join("");
  }
  return text;
}

Deno.test("erase() leaves nothing of a person in our tables or in Mautic, and says what it deleted", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "Erase.Me@example.test", highValue);
  await insertLead(sync.sql, "other@example.test", highValue);
  await sync.drain();
  const contactId = sync.mautic.contactByEmail("erase.me@example.test")!.id;
  await sync.sql`
    insert into public.lead_activity (lead_id, type, detail)
    values (${id}, 'email_unsubscribed', '{"email":"erase.me@example.test"}')`;
  await sync.sql`
    with d as (
      insert into mautic.webhook_delivery (content_hash, body, is_test, correlation_id)
      values ('\\x01', '{"email":"Erase.Me@example.test"}', false, 'c') returning id)
    insert into mautic.webhook_event (delivery_id, event_key, source, address, kind, occurred_at, correlation_id)
    select d.id, 'k', 'webhook', 'erase.me@example.test', 'unsubscribed', now(), 'c' from d`;

  await assert.rejects(erase(sync, "erase.me@example.test"), (error: Error) => {
    assert.match(error.message, /1 lead\(s\) are this person[^]*delete_leads => true/);
    assert.ok(error.message.includes(id));
    return true;
  });
  const report = await erase(sync, " ERASE.me@example.test ", ", delete_leads => true");
  const { operation, ...counts } = report;
  assert.deepEqual(counts, {
    leads: 1,
    lead_activity: 1,
    outbox: 0,
    sync_history: 1,
    webhook_deliveries: 1,
    webhook_events: 1,
    contacts: 1,
    contact_links: 1,
    enrollments: 1,
    mautic: "queued",
  });
  await sync.drain();
  assert.equal(sync.mautic.contactByEmail("erase.me@example.test"), null);
  assert.deepEqual(await outbox(sync.sql), []);
  const left = await everything(sync);
  for (const trace of [/erase\.me/i, new RegExp(id), new RegExp(`"contact_id": ${contactId}\\b`)]) {
    assert.doesNotMatch(left, trace);
  }
  assert.ok(sync.mautic.contactByEmail("other@example.test"));
  assert.match(left, /other@example\.test/);
  const [told] = await sync.sql<{ detail: Record<string, unknown> }[]>`
    select detail from mautic.lead_history(${String(operation)})`;
  assert.equal(told?.detail["action"], "deleted");
});

Deno.test("erase() reaches contacts that Mautic has and we never linked, duplicates too", async () => {
  await using sync = await startSync();
  const upsert = (id: string) =>
    sync.call({
      action: "upsert_contact",
      payload: { id, contact: { email: "stranger@example.test" } },
    });
  await upsert("crm-1");
  await sync.sql`truncate mautic.contact, mautic.contact_link`;
  await sync.sql`select mautic.erase('stranger@example.test')`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 0);
});

Deno.test("the erasure of a contact whose address was changed in Mautic goes by its id", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "known@example.test");
  await sync.drain();
  const contact = sync.mautic.contactByEmail("known@example.test")!;
  contact.values.set("email", "renamed@example.test");
  await erase(sync, "known@example.test", ", delete_leads => true");
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 0);
});

Deno.test("a person who comes back before Mautic was reached keeps the new contact", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "back@example.test");
  await sync.drain();
  await erase(sync, "back@example.test", ", delete_leads => true");
  await insertLead(sync.sql, "back@example.test", { first_name: "Back" });
  await sync.drain();
  await sync.drain();
  assert.equal(
    sync.mautic.contactByEmail("back@example.test")?.values.get("firstname"),
    "Back",
  );
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal((await sync.sql`select from mautic.contact_link`).count, 1);
});

Deno.test("erase() waits for what is under way: refused while leased, after the grace of a lost answer", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "busy@example.test");
  const worker = await startWorker(db.sql);
  const taken = await claim(db.sql, worker);
  await assert.rejects(erase(db, "busy@example.test", ", delete_leads => true"), /with a worker/);
  assert.equal((await db.sql`select from public.leads`).count, 1, "nothing was deleted");
  await settle(db.sql, taken.lease_token, [{
    lead_id: id,
    result: "ambiguous",
    delay_ms: 60_000,
  }]);
  await erase(db, "busy@example.test", ", delete_leads => true");
  const rows = await db.sql<{ state: string; seconds: number }[]>`
    select state, extract(epoch from not_before - mautic.clock())::int as seconds from mautic.outbox`;
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.state, "waiting");
  assert.ok(rows[0]!.seconds > 50);
});

Deno.test("erase() of nobody we know still asks Mautic; of no address it is refused", async () => {
  await using db = await testDatabase();
  const report = await erase(db, "unknown@example.test");
  assert.equal(report["contacts"], 0);
  assert.equal((await outbox(db.sql)).length, 1);
  await assert.rejects(erase(db, "not an address"), /needs an e-mail address/);
});

Deno.test("erasing somebody forgets no contact that is another lead's", async () => {
  await using sync = await startSync();
  const moved = await insertLead(sync.sql, "first@example.test");
  await insertLead(sync.sql, "taken@example.test");
  await sync.drain();
  // Refused by Mautic (duplicate_contact), so that it stays linked to the contact it had.
  await sync.sql`update public.leads set email = 'taken@example.test' where id = ${moved}`;
  await sync.drain();
  const other = await insertLead(sync.sql, "first@example.test", { first_name: "Bea" });
  await sync.drain();
  await sync.sql`select mautic.erase('taken@example.test', delete_leads => true)`;
  await sync.drain();
  const left = await sync.sql`
    select k.lead_id, c.address from mautic.contact_link k join mautic.contact c using (origin, contact_id)`;
  assert.deepEqual([...left], [{ lead_id: other, address: "first@example.test" }]);
  assert.deepEqual(
    [...sync.mautic.contacts.values()].map((contact) => contact.values.get("firstname")),
    ["Bea"],
  );
});
