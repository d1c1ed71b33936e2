import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const contact = (sync: Sync, address: string) => {
  const found = sync.mautic.contactByEmail(address);
  assert.ok(found, `${address} is not in Mautic`);
  return Object.fromEntries(found.values);
};

Deno.test("a consent that is neither yes nor no is none: the rest of the lead is sent, and the log names it", async () => {
  await using sync = await startSync();
  await sync.sql`alter table public.leads add column profile jsonb`;
  await sync.sql`select mautic.attach('public.leads', consent => ${"l.profile ->> 'opt_in'"})`;
  await sync.sql`
    insert into public.leads (email, first_name, profile, ml_score, crm_status) values
      ('good@example.test', 'Good', '{"opt_in": "Ja "}', 90, 'qualified'),
      ('bad@example.test', 'Bad', '{"opt_in": "perhaps"}', 90, 'qualified')`;
  await sync.drain();
  assert.equal(contact(sync, "good@example.test")["firstname"], "Good");
  assert.equal(contact(sync, "bad@example.test")["firstname"], "Bad");
  assert.deepEqual(await outbox(sync.sql), []);
  const [enrolled] = await sync.sql`
    select array_agg(l.email) as emails
    from mautic.enrollment e join public.leads l on l.id::text = e.lead_id`;
  assert.deepEqual(enrolled?.emails, ["good@example.test"]);
  const named = sync.log.filter((line) => line["message"] === "lead_unreadable");
  assert.deepEqual(named.map((line) => line["names"]), [["consent"]]);
});

Deno.test("a renamed column breaks no write, blanks nothing and forgets nothing: once it is attached again, all is sent", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "a@example.test", { phone: "+1", company: "C" });
  await sync.drain();
  await sync.sql`alter table public.leads rename column phone to phone_number`;

  await sync.sql`update public.leads set company = 'D', phone_number = '+2' where id = ${id}`;
  await insertLead(sync.sql, "b@example.test", { phone_number: "+3" });
  await sync.drain();
  assert.deepEqual(
    ["company", "phone"].map((alias) => contact(sync, "a@example.test")[alias]),
    ["D", "+1"],
  );
  const waiting = await outbox(sync.sql);
  assert.deepEqual(
    waiting.map(({ state, error_code }) => [state, error_code]),
    [["waiting", "unreadable"], ["waiting", "unreadable"]],
  );

  await sync.sql`select mautic.attach('public.leads')`;
  await sync.drain();
  assert.equal(contact(sync, "a@example.test")["phone"], "+2");
  assert.equal(contact(sync, "b@example.test")["phone"], "+3");
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("a withdrawal reaches Mautic although another column was dropped", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "a@example.test", { marketing_opt_in: true });
  await sync.drain();
  await sync.sql`alter table public.leads drop column utm_term`;
  await sync.sql`update public.leads set marketing_opt_in = false where id = ${id}`;
  await sync.drain();
  assert.equal(sync.mautic.contactByEmail("a@example.test")?.doNotContact.length, 1);
});

Deno.test("leads whose table is gone are not taken as deleted, and are sent once it is back", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const id = await insertLead(sync.sql, "a@example.test", { company: "C" });
  await sync.drain();
  await sync.sql`update public.leads set company = 'D' where id = ${id}`;
  await sync.sql`alter table public.leads rename to leads_old`;
  await sync.drain();
  assert.ok(sync.mautic.contactByEmail("a@example.test"));
  await sync.sql`alter table public.leads_old rename to leads`;
  await sync.sql`select mautic.attach('public.leads')`;
  await sync.drain();
  assert.equal(contact(sync, "a@example.test")["company"], "D");
  assert.deepEqual(await outbox(sync.sql), []);
});
