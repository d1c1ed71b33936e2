/** One test for each fault of the product that the simulation found, named after it. */
import assert from "node:assert/strict";
import { claim, insertLead, outbox, settle, startWorker } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

function field(sync: Sync, email: string, alias: string): unknown {
  return sync.mautic.contactByEmail(email)?.values.get(alias) ?? null;
}

Deno.test("a value changed back after a save whose answer was lost is sent", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "back@example.test", { phone: "1" });
  await sync.drain();
  for (const kind of ["cut_after", "500_after"] as const) {
    await sync.sql`update public.leads set phone = '2'`;
    sync.mautic.failNext({ kind, match: /\/edit$/, times: kind === "cut_after" ? 1 : 4 });
    await sync.drain();
    assert.equal(field(sync, "back@example.test", "phone"), "2");
    await sync.sql`update public.leads set phone = '1'`;
    await sync.skipWaits();
    await sync.drain();
    assert.equal(field(sync, "back@example.test", "phone"), "1");
  }
});

Deno.test("what a killed worker had sent is not taken for what was there before", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "killed@example.test", { phone: "1" });
  await sync.drain();
  await sync.sql`update public.leads set phone = '2' where id = ${id}`;
  const worker = await startWorker(sync.sql);
  const origin = sync.mautic.url;
  await claim(sync.sql, worker, { leaseMs: 1, at: origin });
  sync.mautic.contactByEmail("killed@example.test")?.values.set("phone", "2");
  await sync.sql`update public.leads set phone = '1' where id = ${id}`;
  await sync.sql`select pg_sleep(0.002), mautic.abandon_worker(${worker})`;
  await sync.drain();
  assert.equal(field(sync, "killed@example.test", "phone"), "1");
});

Deno.test("a worker that settles after its lease does not bring an old snapshot back", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "late@example.test", { phone: "1" });
  await sync.drain();
  const [contact] = await sync.sql<{ contact_id: number; snapshot: { phone: string } }[]>`
    select contact_id::int, snapshot from mautic.contact`;
  const late = [{
    lead_id: id,
    result: "done",
    contact_id: contact!.contact_id,
    address: "late@example.test",
    snapshot: { phone: "0" },
    shows_lead: true,
  }];
  const { lost } = await settle(sync.sql, crypto.randomUUID(), late, sync.mautic.url);
  assert.deepEqual(lost, [id]);
  const [after] = await sync.sql<{ snapshot: { phone: string } }[]>`
    select snapshot from mautic.contact`;
  assert.equal(after?.snapshot.phone, "1");
});

Deno.test("a forced replay of an older lead does not replace the newer one of the same person", async () => {
  await using sync = await startSync();
  const older = await insertLead(sync.sql, "two@example.test", { first_name: "Older" });
  await insertLead(sync.sql, "TWO@example.test", { first_name: "Newer" });
  await sync.drain();
  await sync.sql`select mautic.replay(${older}, true)`;
  await sync.drain();
  assert.equal(field(sync, "two@example.test", "firstname"), "Newer");
  await sync.sql`delete from public.leads where first_name = 'Newer'`;
  await sync.sql`select mautic.replay(${older}, true)`;
  await sync.drain();
  assert.equal(field(sync, "two@example.test", "firstname"), "Older");
});

Deno.test("the survivor of a merge shows the whole lead, and its snapshot is its own", async () => {
  await using sync = await startSync();
  const lead = { first_name: "Ada", phone: "1", company: "Acme" };
  await insertLead(sync.sql, "loser@example.test", lead);
  await insertLead(sync.sql, "winner@example.test", { ...lead, phone: "2", company: "Zeta" });
  await sync.drain();
  const loser = sync.mautic.contactByEmail("loser@example.test")!.id;
  const winner = sync.mautic.contactByEmail("winner@example.test")!.id;
  await sync.mautic.mergeContacts(loser, winner);
  await sync.sql`update public.leads set first_name = 'Bea' where email = 'loser@example.test'`;
  await sync.drain();
  const shown = sync.mautic.contacts.get(winner)!.values;
  assert.deepEqual(
    ["firstname", "phone", "company", "email"].map((alias) => shown.get(alias)),
    ["Bea", "1", "Acme", "loser@example.test"],
  );
  const [stored] = await sync.sql<{ snapshot: { phone: string } }[]>`
    select snapshot from mautic.contact where contact_id = ${winner}`;
  assert.equal(stored?.snapshot.phone, "1");
});

Deno.test("values emptied after a create whose answer was lost are blanked", async () => {
  await using sync = await startSync();
  const filled = { ml_score: 71, crm_status: "new", phone: "1" };
  await insertLead(sync.sql, "gone@example.test", filled);
  sync.mautic.failNext({ kind: "cut_after", match: "/contacts/new" });
  await sync.drain();
  assert.equal(field(sync, "gone@example.test", "hki_score"), 71);
  await sync.sql`update public.leads set ml_score = 0, crm_status = null, phone = null`;
  await sync.skipWaits();
  await sync.drain();
  assert.equal(field(sync, "gone@example.test", "hki_score"), null);
  assert.equal(field(sync, "gone@example.test", "hki_status"), null);
  assert.equal(field(sync, "gone@example.test", "phone"), null);
});

Deno.test("after a merge the newer of two leads wins, whichever is sent first", async () => {
  await using sync = await startSync();
  const newer = await insertLead(sync.sql, "newer@example.test", { first_name: "Newer" });
  const older = await insertLead(sync.sql, "older@example.test", { first_name: "Older" });
  await sync.drain();
  const [from, into] = ["older@example.test", "newer@example.test"].map((email) =>
    sync.mautic.contactByEmail(email)!.id
  );
  await sync.mautic.mergeContacts(from!, into!);
  await sync.sql`update public.leads set phone = '2' where id = ${older}`;
  await sync.sql`update public.leads set phone = '1' where id = ${newer}`;
  // The older one waits, as after a failure, and comes last.
  const worker = await startWorker(sync.sql);
  const claimed = await claim(sync.sql, worker, { limit: 1, at: sync.mautic.url });
  assert.equal(claimed.items[0]?.lead_id, older);
  const retry = [{ lead_id: older, result: "retry", delay_ms: 60_000, error_code: "unavailable" }];
  await settle(sync.sql, claimed.lease_token, retry, sync.mautic.url);
  await sync.sql`select mautic.abandon_worker(${worker})`;
  await sync.drain();
  await sync.skipWaits();
  await sync.drain();
  const shown = sync.mautic.contacts.get(into!)!.values;
  assert.deepEqual([shown.get("firstname"), shown.get("phone")], ["Newer", "1"]);
});

Deno.test("a lead whose address became invalid is a dead letter, also behind a newer lead", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "same@example.test");
  await insertLead(sync.sql, "SAME@example.test");
  await sync.drain();
  await sync.sql`update public.leads set email = 'nothing' where id = ${id}`;
  await sync.sql`update public.leads set phone = '1' where id <> ${id}`;
  const worker = await startWorker(sync.sql);
  const { lease_token } = await claim(sync.sql, worker, { limit: 1, at: sync.mautic.url });
  const retry = [{ lead_id: id, result: "retry", delay_ms: 60_000, error_code: "unavailable" }];
  await settle(sync.sql, lease_token, retry, sync.mautic.url);
  await sync.sql`select mautic.abandon_worker(${worker})`;
  await sync.drain();
  await sync.skipWaits();
  await sync.drain();
  const [dead] = await sync.sql<{ lead_id: string; error_code: string }[]>`
    select lead_id, error_code from mautic.outbox where state = 'dead'`;
  assert.deepEqual(dead, { lead_id: id, error_code: "invalid_email" });
});

for (const fault of ["500_after", "cut_after"] as const) {
  Deno.test(`what an edit that ended with ${fault} filled, and the lead emptied since, is blanked`, async () => {
    await using sync = await startSync();
    await insertLead(sync.sql, "edit@example.test");
    await sync.drain();
    sync.mautic.failNext({ kind: fault, match: "/edit" });
    await sync.sql`update public.leads set phone = '1', company = 'Acme'`;
    await sync.drain();
    assert.equal(field(sync, "edit@example.test", "phone"), "1");
    await sync.sql`update public.leads set phone = null, company = null`;
    await sync.skipWaits();
    await sync.drain();
    assert.equal(field(sync, "edit@example.test", "phone"), null);
    assert.deepEqual(await outbox(sync.sql), []);
  });
}

Deno.test("what a create that ended with a 500 filled, and the lead emptied since, is blanked", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "new@example.test", { phone: "1" });
  sync.mautic.failNext({ kind: "500_after", match: "/contacts/new", times: 9 });
  await sync.drain();
  await sync.sql`update public.leads set phone = null`;
  sync.mautic.clearFaults();
  await sync.skipWaits();
  await sync.drain();
  assert.equal(field(sync, "new@example.test", "phone"), null);
  assert.equal(sync.mautic.contacts.size, 1);
});

Deno.test("what was there before a lead and never was the lead's own is not blanked by a lost create", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "mine@example.test", { phone: "1" });
  await sync.drain();
  await sync.sql`delete from public.leads`;
  await sync.sql`delete from mautic.contact_link`;
  await sync.sql`delete from mautic.contact`;
  await insertLead(sync.sql, "mine@example.test", { last_name: "New" });
  sync.mautic.failNext({ kind: "cut_after", match: "/contacts/new" });
  await sync.drain();
  await sync.skipWaits();
  await sync.drain();
  assert.equal(field(sync, "mine@example.test", "phone"), "1");
});

Deno.test("a settled lead keeps nothing of what was attempted", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "one@example.test", { phone: "1" });
  await sync.drain();
  await sync.sql`update public.leads set phone = '2'`;
  sync.mautic.failNext({ kind: "429", match: "/edit", times: 9, retryAfterSeconds: 60 });
  await sync.drain();
  const rows = await sync.sql<{ attempted: unknown[] }[]>`select attempted from mautic.outbox`;
  assert.deepEqual([...rows], [{ attempted: [] }]);
});

Deno.test("a new lead with the address of a contact that was just deleted gets one, whatever becomes of those who were it", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_contact_deleted', 'leave')`;
  await insertLead(sync.sql, "gone@example.test");
  await sync.drain();
  await sync.mautic.deleteContact(sync.mautic.contactByEmail("gone@example.test")!.id);
  await insertLead(sync.sql, "gone@example.test", { first_name: "New" });
  await sync.drain();
  await sync.drain();
  assert.equal(field(sync, "gone@example.test", "firstname"), "New");
});

Deno.test("a forced replay brings a contact back whose deletion it is the first to notice", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_contact_deleted', 'leave')`;
  const id = await insertLead(sync.sql, "gone@example.test", { first_name: "Ada" });
  await sync.drain();
  await sync.mautic.deleteContact(sync.mautic.contactByEmail("gone@example.test")!.id);
  await sync.sql`select mautic.replay(${id}, true)`;
  await sync.drain();
  assert.equal(field(sync, "gone@example.test", "firstname"), "Ada");
});

Deno.test("all leads of a contact that was deleted in Mautic come to the new one", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "both@example.test");
  await insertLead(sync.sql, "both@example.test");
  await sync.drain();
  await sync.mautic.deleteContact(sync.mautic.contactByEmail("both@example.test")!.id);
  await sync.sql`update public.leads set phone = '1' where id = ${id}`;
  await sync.drain();
  await sync.drain();
  const contact = sync.mautic.contactByEmail("both@example.test")!.id;
  const links = await sync.sql<{ contact_id: number }[]>`
    select contact_id::int from mautic.contact_link`;
  assert.deepEqual(links.map((link) => link.contact_id), [contact, contact]);
});

Deno.test("two leads found to be one contact in one batch: the newer is sent last", async () => {
  await using sync = await startSync();
  const older = "00000000-0000-4000-8000-000000000001";
  const newer = "ffffffff-0000-4000-8000-000000000002";
  await sync.sql`
    insert into public.leads (id, email, first_name) values
      (${older}, 'older@example.test', 'Older'), (${newer}, 'newer@example.test', 'Newer')`;
  await sync.drain();
  const [from, into] = ["older@example.test", "newer@example.test"].map((email) =>
    sync.mautic.contactByEmail(email)!.id
  );
  await sync.mautic.mergeContacts(from!, into!);
  await sync.sql`update public.leads set phone = '1' where id = ${older}`;
  await sync.sql`update public.leads set phone = '2' where id = ${newer}`;
  await sync.drain();
  await sync.drain();
  const shown = sync.mautic.contacts.get(into!)!.values;
  assert.deepEqual([shown.get("firstname"), shown.get("phone")], ["Newer", "2"]);
});

Deno.test("what a lead changed while its deleted contact was left alone counts when it comes back", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_contact_deleted', 'leave')`;
  const first = await insertLead(sync.sql, "left@example.test", { first_name: "First" });
  await sync.drain();
  await sync.mautic.deleteContact(sync.mautic.contactByEmail("left@example.test")!.id);
  await sync.sql`update public.leads set phone = '1' where id = ${first}`;
  await sync.drain();
  const second = await insertLead(sync.sql, "left@example.test", { first_name: "Second" });
  await sync.drain();
  // Left alone, but the newest.
  await sync.sql`update public.leads set phone = '2' where id = ${first}`;
  await sync.drain();
  for (const id of [first, second]) await sync.sql`select mautic.replay(${id}, true)`;
  await sync.drain();
  await sync.drain();
  assert.equal(field(sync, "left@example.test", "firstname"), "First");
});

Deno.test("two workers send leads of contacts that were merged at the same time: the newer one stands in the end", async () => {
  await using sync = await startSync();
  const at = sync.mautic.url;
  const older = await insertLead(sync.sql, "older@example.test", { first_name: "Older" });
  const newer = await insertLead(sync.sql, "newer@example.test", { first_name: "Newer" });
  await sync.drain();
  const [into, from] = ["older@example.test", "newer@example.test"].map((email) =>
    sync.mautic.contactByEmail(email)!.id
  );
  for (const id of [older, newer]) {
    await sync.sql`update public.leads set phone = '1' where id = ${id}`;
  }
  const claims = [];
  for (const lead of [older, newer]) {
    const claimed = await claim(sync.sql, await startWorker(sync.sql), { limit: 1, at });
    assert.equal(claimed.items[0]?.lead_id, lead);
    claims.push({ lead, token: claimed.lease_token });
  }
  await sync.mautic.mergeContacts(from!, into!);
  // The older one is written last, and settled first.
  sync.mautic.contacts.get(into!)!.values.set("firstname", "Older");
  for (const { lead, token } of claims) {
    const { settled } = await settle(sync.sql, token, [{
      lead_id: lead,
      result: "done",
      contact_id: into!,
      asked_contact_id: lead === newer ? from! : null,
      address: "older@example.test",
      snapshot: { firstname: lead === newer ? "Newer" : "Older" },
      shows_lead: true,
      changed_at: lead === newer ? "2030-01-02T00:00:00Z" : "2030-01-01T00:00:00Z",
    }], at);
    assert.equal(settled, 1);
  }
  await sync.sql`delete from mautic.worker`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.get(into!)!.values.get("firstname"), "Newer");
});
