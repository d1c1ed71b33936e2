import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

const lead = {
  id: "crm-1",
  crm_status: "qualified",
  consent: { marketing_opt_in: true },
  ml: { score: 85 },
  contact: { email: "john@example.test", first_name: "John" },
};

Deno.test("upsert_contact creates, then updates, and records link and enrolment as the queue does", async () => {
  await using sync = await startSync();
  const first = await sync.call({ action: "upsert_contact", payload: lead });
  const contact = sync.mautic.contactByEmail("john@example.test");
  assert.equal(first.status, 200);
  assert.deepEqual(first.answer.data, {
    success: true,
    contactId: String(contact?.id),
    action: "created",
    enrolled: true,
    enrollmentReason: "eligible",
  });
  const second = await sync.call({
    action: "upsert_contact",
    payload: { ...lead, contact: { ...lead.contact, first_name: "Jon" } },
  });
  assert.equal(second.answer.data?.["action"], "updated");
  assert.deepEqual(sync.mautic.requests.at(-1)?.body, { firstname: "Jon" });
  const links = await sync.sql<{ lead_id: string; contact_id: number }[]>`
    select lead_id, contact_id::int from mautic.contact_link`;
  assert.deepEqual([...links], [{ lead_id: "crm-1", contact_id: contact!.id }]);
  assert.equal(sync.mautic.campaignMembers(sync.mautic.campaignId).length, 1);
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("parallel upserts of one new person make one contact", async () => {
  await using sync = await startSync();
  const answers = await Promise.all(
    Array.from(
      { length: 6 },
      (_, n) => sync.call({ action: "upsert_contact", payload: { ...lead, id: `crm-${n}` } }),
    ),
  );
  assert.deepEqual([...new Set(answers.map((each) => each.status))], [200]);
  assert.equal(sync.mautic.contacts.size, 1);
  assert.deepEqual(sync.mautic.overlappingWrites(), []);
});

Deno.test("a lease that ran while its claim was answered is no time to start a request in", async () => {
  await using sync = await startSync({
    env: {
      MAUTIC_REQUEST_TIMEOUT_MS: "100",
      MAUTIC_SERVER_TIME_LIMIT_MS: "0",
      MAUTIC_WORKER_LEASE_MS: "500",
    },
  });
  // Slow after the lease was written: 850 ms of it are over before the caller hears of it.
  await sync.sql.unsafe(`
    create function mautic.dawdle() returns trigger language plpgsql as
      'begin perform pg_sleep(1); return null; end';
    create trigger dawdle after insert on mautic.outbox execute function mautic.dawdle()`);
  const { status, answer } = await sync.call({ action: "upsert_contact", payload: lead });
  assert.deepEqual([status, answer.error?.code], [503, "lease_too_short"]);
  assert.equal(sync.mautic.contacts.size, 0);
});

Deno.test("add_to_campaign tells its caller of an opt-out that only the lead's row knows of", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "told@example.test");
  await sync.drain();
  await sync.sql`update public.leads set email_status = 'complained' where id = ${id}`;
  const { status, answer } = await sync.call({
    action: "add_to_campaign",
    mauticContactId: sync.mautic.contactByEmail("told@example.test")!.id,
    campaignId: sync.mautic.campaignId,
  });
  assert.deepEqual([status, answer.error?.code], [409, "not_mailable"]);
  assert.equal(sync.mautic.campaignMembers(sync.mautic.campaignId).length, 0);
});

Deno.test("what Mautic refuses is answered with a code and the remedy", async () => {
  await using sync = await startSync({ env: { MAUTIC_CAMPAIGN_HIGH_VALUE: "999" } });
  const { status, answer } = await sync.call({ action: "upsert_contact", payload: lead });
  assert.equal(status, 404);
  assert.equal(answer.error?.code, "campaign_not_found");
  await sync.mautic.setDown(true);
  const down = await sync.call({
    action: "upsert_contact",
    payload: { ...lead, id: "2", contact: { email: "other@example.test" } },
  });
  assert.equal(down.status, 503);
  assert.equal(down.answer.error?.code, "unavailable");
});

Deno.test("upsert_contact leaves a newer change of the same lead in the queue", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "both@example.test", { first_name: "Table" });
  await sync.call({
    action: "upsert_contact",
    payload: { id, contact: { email: "both@example.test", first_name: "Caller" } },
  });
  await sync.drain();
  assert.equal(sync.mautic.contactByEmail("both@example.test")?.values.get("firstname"), "Table");
});

Deno.test("add_to_campaign enrols once, and nobody who opted out", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "a@example.test");
  await insertLead(sync.sql, "b@example.test");
  await sync.drain();
  const add = (email: string, campaignId: number | string = String(sync.mautic.campaignId)) =>
    sync.call({
      action: "add_to_campaign",
      mauticContactId: String(sync.mautic.contactByEmail(email)?.id),
      campaignId,
    });
  const first = await add("a@example.test");
  assert.deepEqual([first.status, first.answer.data?.["alreadyMember"]], [200, false]);
  assert.equal((await add("a@example.test")).answer.data?.["alreadyMember"], true);
  await sync.mautic.unsubscribe("b@example.test");
  const refused = await add("b@example.test");
  assert.deepEqual([refused.status, refused.answer.error?.code], [409, "not_mailable"]);
  assert.equal((await add("a@example.test", 999)).answer.error?.code, "campaign_not_found");
  assert.equal(sync.mautic.campaignMembers(sync.mautic.campaignId).length, 1);
});

Deno.test("add_to_campaign of a contact that does not exist says so", async () => {
  await using sync = await startSync();
  const { status, answer } = await sync.call({
    action: "add_to_campaign",
    mauticContactId: 4711,
    campaignId: 1,
  });
  assert.deepEqual([status, answer.error?.code], [404, "contact_not_found"]);
});

Deno.test("ping tells Mautic's version, whether the token is cached, and the settings that are no secrets", async () => {
  await using sync = await startSync({ env: { MAUTIC_FIELD_SCORE: "points_x" } });
  const { settings, ...rest } = (await sync.call({ action: "ping" })).answer.data ?? {};
  assert.deepEqual(rest, {
    demo: false,
    mautic: { version: "5.1.1" },
    tokenCached: false,
    supersededSettings: [{
      variable: "MAUTIC_FIELD_SCORE",
      statement:
        "select mautic.unmap_field('hki_score'); select mautic.map_field('points_x', 'score');",
    }],
  });
  const told = Object(settings);
  assert.equal(told.project, new URL(sync.env["SUPABASE_URL"] ?? "").host);
  assert.equal(told.baseUrl, sync.mautic.url);
  assert.equal(told.fieldMaxLength, 64);
  assert.equal(told.enrollment.campaignId, sync.mautic.campaignId);
  assert.ok(!Object.keys(told).some((name) => /client|secret/i.test(name)));
  assert.ok(!JSON.stringify(told).includes(sync.env["MAUTIC_CLIENT_SECRET"] ?? "?"));
  assert.equal((await sync.call({ action: "ping" })).answer.data?.["tokenCached"], true);
});

Deno.test("what a caller says nothing of stays as it is; null blanks what the lead has filled", async () => {
  await using sync = await startSync();
  const contact = { ...lead.contact, phone: "+491", company: "Acme" };
  await sync.call({ action: "upsert_contact", payload: { ...lead, contact } });
  const values = () => sync.mautic.contactByEmail("john@example.test")?.values;
  const before = sync.mautic.requests.length;
  const bare = { id: lead.id, contact: { email: lead.contact.email } };
  const { answer } = await sync.call({ action: "upsert_contact", payload: bare });
  assert.equal(answer.data?.["success"], true);
  assert.equal(sync.mautic.requests.length, before);
  assert.deepEqual(
    ["firstname", "phone", "company", "hki_status"].map((alias) => values()?.get(alias)),
    ["John", "+491", "Acme", "qualified"],
  );
  const blanking = { ...bare, contact: { ...bare.contact, phone: null } };
  await sync.call({ action: "upsert_contact", payload: blanking });
  assert.ok(!values()?.get("phone"));
  assert.equal(values()?.get("company"), "Acme");
});

Deno.test("wrong credentials are answered with the variables to check", async () => {
  await using sync = await startSync({ env: { MAUTIC_CLIENT_SECRET: "wrong" } });
  const { status, answer } = await sync.call({ action: "ping" });
  assert.deepEqual([status, answer.error?.code], [502, "oauth_refused"]);
  assert.match(JSON.stringify(answer), /MAUTIC_CLIENT_SECRET/);
  await insertLead(sync.sql, "kept@example.test");
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.state), ["waiting"]);
});

Deno.test("native UTM tags are added once for each distinct set", async () => {
  await using sync = await startSync({ env: { MAUTIC_NATIVE_UTM_TAGS: "true" } });
  const id = await insertLead(sync.sql, "utm@example.test", { utm_source: "a", utm_campaign: "c" });
  await sync.drain();
  await sync.sql`update public.leads set first_name = 'F' where id = ${id}`;
  await sync.drain();
  const tags = () =>
    sync.mautic.contactByEmail("utm@example.test")?.utmTags.map((
      tag,
    ) => [tag.source, tag.campaign]);
  assert.deepEqual(tags(), [["a", "c"]]);
  await sync.sql`update public.leads set utm_source = 'b' where id = ${id}`;
  await sync.drain();
  assert.deepEqual(tags(), [["a", "c"], ["b", "c"]]);
});
