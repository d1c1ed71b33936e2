import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

/** A contact's field by the address it has in the emulator. */
function field(sync: Sync, email: string, alias: string): unknown {
  return sync.mautic.contactByEmail(email)?.values.get(alias) ?? null;
}

function writes(sync: Sync) {
  return sync.mautic.requests.filter((request) =>
    request.method !== "GET" && request.path.startsWith("/api/")
  );
}

const highValue = { crm_status: "qualified", marketing_opt_in: true, ml_score: 85 };

Deno.test("inserted leads become contacts in one request, with their fields, links and enrolment", async () => {
  await using sync = await startSync();
  const vip = await insertLead(sync.sql, "Vip@Example.test", {
    ...highValue,
    first_name: "Vera",
    last_name: "Ip",
    phone: "+1 555 0100",
    company: "ACME",
    utm_source: "google",
  });
  await insertLead(sync.sql, "low@example.test", { ...highValue, ml_score: 10 });
  await insertLead(sync.sql, "quiet@example.test", { ...highValue, marketing_opt_in: null });
  await sync.drain();

  const contact = sync.mautic.contactByEmail("vip@example.test");
  assert.ok(contact);
  const shown = Object.fromEntries(
    ["firstname", "lastname", "phone", "hki_score", "hki_status", "hki_lead_id", "hki_utm_source"]
      .map((
        alias,
      ) => [alias, contact.values.get(alias)]),
  );
  assert.deepEqual(shown, {
    firstname: "Vera",
    lastname: "Ip",
    phone: "+1 555 0100",
    hki_score: 85,
    hki_status: "qualified",
    hki_lead_id: vip,
    hki_utm_source: "google",
  });
  assert.equal(sync.mautic.contacts.size, 3);
  assert.deepEqual(writes(sync).map((request) => [request.path, request.itemCount]), [
    ["/api/contacts/batch/new", 3],
    [`/api/campaigns/${sync.mautic.campaignId}/contact/${contact.id}/add`, 1],
  ]);
  assert.deepEqual(await outbox(sync.sql), []);
  const links = await sync.sql<{ contact_id: number }[]>`
    select contact_id::int from mautic.contact_link where lead_id = ${vip}`;
  assert.deepEqual([...links], [{ contact_id: contact.id }]);
  const enrollments = await sync.sql<{ contact_id: number; state: string }[]>`
    select contact_id::int, state from mautic.enrollment`;
  assert.deepEqual([...enrollments], [{ contact_id: contact.id, state: "confirmed" }]);
});

Deno.test("an edit goes to the same contact by id, with only what changed", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "edit@example.test", {
    first_name: "A",
    last_name: "B",
    phone: "1",
  });
  await sync.drain();
  const contact = sync.mautic.contactByEmail("edit@example.test");
  await sync
    .sql`update public.leads set last_name = 'C', email = 'moved@example.test' where id = ${id}`;
  await sync.drain();
  assert.deepEqual(
    writes(sync).slice(1).map((request) => [request.method, request.path, request.body]),
    [
      ["PATCH", `/api/contacts/${contact?.id}/edit`, {
        lastname: "C",
        email: "moved@example.test",
      }],
    ],
  );
  assert.equal(sync.mautic.contacts.size, 1);
  await sync.sql`update public.leads set last_name = 'D' where id = ${id}`;
  await sync.sql`update public.leads set last_name = 'C' where id = ${id}`;
  await sync.drain();
  assert.equal(writes(sync).length, 2, "there and back is no change");
});

Deno.test("an emptied field is blanked, a UTM value and what people entered in Mautic are not", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "blank@example.test", {
    phone: "1",
    ml_score: 5,
    utm_source: "ad",
  });
  await sync.drain();
  sync.mautic.contactByEmail("blank@example.test")?.values.set("city", "Bonn");
  sync.mautic.contactByEmail("blank@example.test")?.values.set("lastname", "Entered");
  await sync
    .sql`update public.leads set phone = null, ml_score = 0, utm_source = null where id = ${id}`;
  await sync.drain();
  assert.deepEqual(
    ["phone", "hki_score", "hki_utm_source", "city", "lastname"].map((alias) =>
      field(sync, "blank@example.test", alias)
    ),
    [null, null, "ad", "Bonn", "Entered"],
  );
});

Deno.test("a contact that is in Mautic already is adopted, not doubled and not emptied", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "first@example.test", { phone: "1" });
  await sync.drain();
  await insertLead(sync.sql, "First@example.test", { first_name: "Second row" });
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 1);
  assert.equal(field(sync, "first@example.test", "phone"), "1");
  assert.equal(field(sync, "first@example.test", "firstname"), "Second row");
  const links = await sync.sql`select from mautic.contact_link`;
  assert.equal(links.count, 2);
});

Deno.test("leads that cannot be sent become dead letters with a remedy; the rest of the batch goes through", async () => {
  await using sync = await startSync({
    mautic: {
      customFields: [{
        alias: "hki_status",
        label: "Stage",
        type: "select",
        properties: { list: [{ label: "Qualified", value: "qualified" }] },
      }],
    },
  });
  sync.mautic.holdSaves(2);
  await Promise.all(["", ""].map(() => createDirectly(sync, "twice@example.test")));
  assert.deepEqual(sync.mautic.duplicateEmails(), ["twice@example.test"]);

  await insertLead(sync.sql, "good@example.test");
  await insertLead(sync.sql, "josé@example.test");
  await insertLead(sync.sql, "");
  await insertLead(sync.sql, "twice@example.test");
  await insertLead(sync.sql, "stage@example.test", { crm_status: "unheard of" });
  await insertLead(sync.sql, "late@example.test");
  await sync.drain();

  const dead = await sync.sql<{ email: string; error_code: string; error_message: string }[]>`
    select l.email, o.error_code, o.error_message
    from mautic.outbox o join public.leads l on l.id::text = o.lead_id
    where o.state = 'dead' order by o.error_code, l.email`;
  assert.deepEqual(dead.map((row) => [row.email, row.error_code]), [
    ["twice@example.test", "duplicate_contact"],
    ["stage@example.test", "field_refused"],
    ["josé@example.test", "invalid_email"],
  ]);
  assert.match(dead[0]!.error_message, /several share it/);
  assert.match(dead[1]!.error_message, /hki_status/);
  assert.match(dead[2]!.error_message, /contact\.email/);
  assert.ok(sync.mautic.contactByEmail("good@example.test"));
  assert.ok(sync.mautic.contactByEmail("late@example.test"));
});

Deno.test("an unknown campaign is a dead letter; its contact is saved and linked", async () => {
  await using sync = await startSync({ env: { MAUTIC_CAMPAIGN_HIGH_VALUE: "999" } });
  await insertLead(sync.sql, "vip@example.test", highValue);
  await insertLead(sync.sql, "plain@example.test");
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => [row.state, row.error_code]), [[
    "dead",
    "campaign_not_found",
  ]]);
  assert.equal((await sync.sql`select from mautic.contact_link`).count, 2);
  assert.equal((await sync.sql`select from mautic.enrollment`).count, 0);
});

Deno.test("while Mautic is down everything waits and nothing dies; afterwards it arrives once", async () => {
  await using sync = await startSync();
  await sync.mautic.setDown(true);
  await insertLead(sync.sql, "patient@example.test", highValue);
  for (let hour = 0; hour < 3; hour++) {
    await sync.drain();
    assert.deepEqual((await outbox(sync.sql)).map((row) => [row.state, row.attempts]), [[
      "waiting",
      hour + 1,
    ]]);
    await sync.skipWaits();
  }
  await sync.mautic.setDown(false);
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(sync.mautic.contacts.size, 1);
});

for (const kind of ["cut_after", "cut_before", "502_after", "504_after", "hang_after"] as const) {
  Deno.test(`after ${kind} on a batch nobody is sent again before the grace, and nobody twice`, async () => {
    await using sync = await startSync({ env: { MAUTIC_REQUEST_TIMEOUT_MS: "500" } });
    sync.mautic.failNext({ kind, match: "/batch/new" });
    await insertLead(sync.sql, "one@example.test", highValue);
    await insertLead(sync.sql, "two@example.test");
    await sync.drain();
    const waiting = await outbox(sync.sql);
    assert.deepEqual(waiting.map((row) => [row.state, row.ambiguous]), [["waiting", true], [
      "waiting",
      true,
    ]]);
    const [soonest] = await sync.sql<{ seconds: number }[]>`
      select min(extract(epoch from not_before - mautic.clock()))::float as seconds from mautic.outbox`;
    assert.ok(soonest!.seconds > 55, `due in ${soonest!.seconds} s, Mautic may take 60`);

    const before = sync.mautic.requests.length;
    await sync.drain();
    assert.equal(
      sync.mautic.requests.length,
      before,
      "nothing was asked of Mautic within the grace",
    );

    await sync.skipWaits();
    await sync.drain();
    assert.deepEqual(await outbox(sync.sql), []);
    assert.equal(sync.mautic.contacts.size, 2);
    assert.deepEqual(sync.mautic.duplicateEmails(), []);
    assert.equal(sync.mautic.campaignMembers(sync.mautic.campaignId).length, 1);
  });
}

Deno.test("one lead that makes Mautic fail does not hold up its batch, and ends as a dead letter", async () => {
  await using sync = await startSync();
  sync.mautic.failNext({
    kind: "500",
    match: (request) => JSON.stringify(request.body).includes("poison@example.test"),
    times: 1000,
  });
  for (let n = 0; n < 20; n++) await insertLead(sync.sql, `l${n}@example.test`);
  const poison = await insertLead(sync.sql, "poison@example.test");
  for (let n = 20; n < 40; n++) await insertLead(sync.sql, `l${n}@example.test`);
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 40);
  for (let attempt = 0; attempt < 6; attempt++) {
    await insertLead(sync.sql, `healthy${attempt}@example.test`);
    await sync.skipWaits();
    await sync.drain();
  }
  assert.deepEqual(
    (await outbox(sync.sql)).map((row) => [row.lead_id, row.state, row.error_code]),
    [
      [poison, "dead", "mautic_failed"],
    ],
  );
});

Deno.test("when every request fails nothing is blamed on a lead", async () => {
  await using sync = await startSync();
  const fault = sync.mautic.failNext({ kind: "500", match: "/api/contacts", times: 10_000 });
  await sync
    .sql`insert into public.leads (email) select 'o' || i || '@example.test' from generate_series(1, 30) i`;
  for (let attempt = 0; attempt < 7; attempt++) {
    await sync.drain();
    await sync.skipWaits();
  }
  assert.ok((await outbox(sync.sql)).every((row) => row.state !== "dead"));
  assert.ok(fault.hits() < 7 * 20, `${fault.hits()} requests into an outage`);
  fault.cancel();
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 30);
});

Deno.test("a token that Mautic revoked is replaced once, and the lead gets through", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "a@example.test");
  await sync.drain();
  sync.mautic.revokeTokens();
  await insertLead(sync.sql, "b@example.test");
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 2);
  assert.equal(sync.mautic.tokensIssued(), 2);
  const [row] = await sync.sql<{ sealed: string }[]>`select sealed from mautic.oauth_token`;
  assert.ok(row!.sealed.length > 0);
});

Deno.test("at the rate limit the rest waits until Mautic's own reset", async () => {
  await using sync = await startSync({ env: { MAUTIC_BATCH_SIZE: "5" } });
  sync.mautic.rateLimit(1, 3600);
  await sync
    .sql`insert into public.leads (email) select 'r' || i || '@example.test' from generate_series(1, 10) i`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 5);
  const [row] = await sync.sql<{ seconds: number }[]>`
    select min(extract(epoch from not_before - mautic.clock()))::float as seconds from mautic.outbox`;
  assert.ok(row!.seconds > 600, `due in ${row!.seconds} s`);
  sync.mautic.rateLimit(0);
  await sync.skipWaits();
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 10);
});

Deno.test("a value that Mautic does not take is reported once and not sent for ever", async () => {
  await using sync = await startSync({ mautic: { customFields: [] } });
  const id = await insertLead(sync.sql, "alias@example.test", {
    ml_score: 50,
    first_name: "<b>Bold</b>",
  });
  await sync.drain();
  const reported = () =>
    sync.log.filter((line) => line["message"] === "field_not_taken").map((line) => line["field"])
      .sort();
  assert.deepEqual(reported(), ["firstname", "hki_lead_id", "hki_score"]);
  await sync.sql`update public.leads set last_name = 'L' where id = ${id}`;
  await sync.drain();
  assert.deepEqual(writes(sync).at(-1)?.body, { lastname: "L" });
  assert.equal(reported().length, 3);
});

Deno.test("contacts merged or deleted in Mautic are re-linked or created again", async () => {
  await using sync = await startSync();
  for (const name of ["winner", "loser", "gone", "other"]) {
    await insertLead(sync.sql, `${name}@example.test`);
  }
  await sync.drain();
  const id = (name: string) => sync.mautic.contactByEmail(`${name}@example.test`)!.id;
  const [winner, gone] = [id("winner"), id("gone")];
  await sync.mautic.mergeContacts(id("loser"), winner);
  await sync.mautic.deleteContact(gone);
  await sync.sql`update public.leads set first_name = 'Edited'`;
  await sync.drain();
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.error_code), []);
  const links = await sync.sql<{ email: string; contact_id: number }[]>`
    select l.email, k.contact_id::int from mautic.contact_link k join public.leads l on l.id::text = k.lead_id`;
  const linked = Object.fromEntries(
    links.map((link) => [link.email.split("@")[0], link.contact_id]),
  );
  assert.equal(linked["loser"], winner);
  assert.notEqual(linked["gone"], gone);
  assert.equal(field(sync, "gone@example.test", "firstname"), "Edited");
  assert.deepEqual(sync.mautic.duplicateEmails(), []);
});

Deno.test("two leads that Mautic merged into one contact never stand in one batch edit", async () => {
  await using sync = await startSync();
  for (const name of ["one", "two", "three"]) await insertLead(sync.sql, `${name}@example.test`);
  await sync.drain();
  const id = (name: string) => sync.mautic.contactByEmail(`${name}@example.test`)?.id ?? 0;
  await sync.mautic.mergeContacts(id("one"), id("two"));
  await sync.sql`update public.leads set first_name = 'N', marketing_opt_in = false`;
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(sync.mautic.contacts.size, 2);
  assert.ok(
    [...sync.mautic.contacts.values()].every((contact) => contact.doNotContact.length === 1),
  );
});

Deno.test("10,000 leads in one statement arrive in batches, a request for fifty", async () => {
  await using sync = await startSync({ env: { MAUTIC_WORKER_BUDGET_LEADS: "20000" } });
  await sync
    .sql`insert into public.leads (email, first_name) select 'm' || i || '@example.test', 'M' from generate_series(1, 10000) i`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 10_000);
  assert.deepEqual(await outbox(sync.sql), []);
  const sent = writes(sync);
  assert.ok(sent.length <= 200, `${sent.length} requests`);
  assert.deepEqual(sync.mautic.duplicateEmails(), []);
});

async function createDirectly(sync: Sync, email: string): Promise<void> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: sync.mautic.clientId,
    client_secret: sync.mautic.clientSecret,
  });
  const token =
    await (await fetch(`${sync.mautic.url}/oauth/v2/token`, { method: "POST", body: form })).json();
  const answer = await fetch(`${sync.mautic.url}/api/contacts/new`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token.access_token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ email }),
  });
  await answer.body?.cancel();
}
