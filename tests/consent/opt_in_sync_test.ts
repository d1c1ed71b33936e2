import assert from "node:assert/strict";
import { consentComment } from "shared/consent/entry.ts";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const highValue = { crm_status: "qualified", marketing_opt_in: true, ml_score: 85 };

function entries(sync: Sync, email: string): [number, string | null][] {
  const contact = sync.mautic.contactByEmail(email);
  return contact?.doNotContact.map((entry) => [entry.reason, entry.comments]) ?? [];
}

function members(sync: Sync): number {
  return sync.mautic.campaignMembers(sync.mautic.campaignId).length;
}

Deno.test("a lead without consent gets a do-not-contact entry that bears our mark, in one request for all", async () => {
  await using sync = await startSync();
  for (let n = 0; n < 10; n++) {
    await insertLead(sync.sql, `no${n}@example.test`, { marketing_opt_in: false });
  }
  await insertLead(sync.sql, "unknown@example.test", { marketing_opt_in: null });
  await sync.drain();
  assert.deepEqual(entries(sync, "no3@example.test"), [[3, consentComment]]);
  assert.deepEqual(entries(sync, "unknown@example.test"), []);
  const written = sync.mautic.requests.filter((request) =>
    request.method !== "GET" && request.path.startsWith("/api")
  );
  assert.equal(written.length, 2);
});

Deno.test("an unsubscribe or bounce in Mautic is neither replaced nor lifted from our side", async () => {
  await using sync = await startSync();
  const out = await insertLead(sync.sql, "out@example.test");
  const dead = await insertLead(sync.sql, "dead@example.test");
  await sync.drain();
  await sync.mautic.unsubscribe("out@example.test");
  await sync.mautic.bounce("dead@example.test", "Unknown user");
  const before = [entries(sync, "out@example.test"), entries(sync, "dead@example.test")];
  for (const optIn of [false, true, false, null]) {
    await sync
      .sql`update public.leads set marketing_opt_in = ${optIn} where id in (${out}, ${dead})`;
    await sync.drain();
    assert.deepEqual(
      [entries(sync, "out@example.test"), entries(sync, "dead@example.test")],
      before,
    );
  }
});

Deno.test("consent given again lifts our own entry, and only that", async () => {
  await using sync = await startSync();
  const ours = await insertLead(sync.sql, "ours@example.test", { marketing_opt_in: false });
  const staff = await insertLead(sync.sql, "staff@example.test");
  await sync.drain();
  await sync.mautic.addDoNotContact("staff@example.test", {
    reason: 3,
    comments: "asked by phone",
  });
  await sync.sql`update public.leads set marketing_opt_in = true where id in (${ours}, ${staff})`;
  await sync.drain();
  assert.deepEqual(entries(sync, "ours@example.test"), []);
  assert.deepEqual(entries(sync, "staff@example.test"), [[3, "asked by phone"]]);
});

Deno.test("an opt-out in Mautic right before our entry is lifted stays, also when no webhook tells of it", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "quick@example.test", { marketing_opt_in: false });
  await sync.drain();
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${id}`;
  // The list is read first; the contact itself right before the removal.
  sync.mautic.failNext({ kind: "slow", match: /^\/api\/contacts\/\d+$/, delayMs: 150 });
  const reading = sync.mautic.waitForStart((request) => /contacts\/\d+$/.test(request.path));
  const drained = sync.drain();
  await reading;
  await sync.mautic.addDoNotContact("quick@example.test", { reason: 1, comments: "by staff" });
  await drained;
  assert.deepEqual(entries(sync, "quick@example.test"), [[1, "by staff"]]);
});

Deno.test("an opt-out that arrives while our entry is lifted is put back", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "race@example.test", { marketing_opt_in: false });
  await sync.drain();
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${id}`;
  // The webhook's write lands while the removal is on its way.
  sync.mautic.failNext({ kind: "slow", match: "/dnc/email/remove", delayMs: 150 });
  const removing = sync.mautic.waitForStart((request) =>
    request.path.endsWith("/dnc/email/remove")
  );
  const drained = sync.drain();
  await removing;
  await sync.sql`update public.leads set email_status = 'unsubscribed' where id = ${id}`;
  await drained;
  assert.deepEqual(entries(sync, "race@example.test").map(([reason]) => reason), [1]);
});

Deno.test("an opt-out that could not be put back at once is put back by the next attempt", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "cut@example.test", { marketing_opt_in: false });
  await sync.drain();
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${id}`;
  sync.mautic.failNext({ kind: "slow", match: "/dnc/email/remove", delayMs: 150 });
  sync.mautic.failNext({ kind: "cut_before", match: "/dnc/email/add" });
  const removing = sync.mautic.waitForStart((request) =>
    request.path.endsWith("/dnc/email/remove")
  );
  const drained = sync.drain();
  await removing;
  await sync.sql`update public.leads set email_status = 'bounced' where id = ${id}`;
  await drained;
  assert.deepEqual(entries(sync, "cut@example.test"), []);
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(entries(sync, "cut@example.test").map(([reason]) => reason), [2]);
});

Deno.test("one contact that refuses its entry does not keep the others from theirs", async () => {
  await using sync = await startSync();
  for (const name of ["a", "b", "c"]) await insertLead(sync.sql, `${name}@example.test`);
  await sync.drain();
  const gone = sync.mautic.contactByEmail("b@example.test")!.id;
  // Deleted between our reading it and our writing.
  const reading = sync.mautic.waitForRequest((request) => request.method === "GET");
  await sync.sql`update public.leads set marketing_opt_in = false`;
  sync.mautic.failNext({ kind: "slow", match: "/batch/edit", delayMs: 100 });
  const drained = sync.drain();
  await reading;
  await sync.mautic.deleteContact(gone);
  await drained;
  await sync.drain();
  for (const name of ["a", "c"]) {
    assert.deepEqual(entries(sync, `${name}@example.test`).map(([reason]) => reason), [3]);
  }
});

Deno.test("an opt-out in Mautic that is older than our link prevents the enrolment", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "old@example.test");
  await sync.drain();
  await sync.mautic.unsubscribe("old@example.test");
  // Another project, a fresh database: nothing is known of the contact.
  await sync.sql`delete from mautic.contact`;
  await sync.sql`delete from mautic.contact_link`;
  await sync.sql`update public.leads set ${sync.sql(highValue)} where id = ${id}`;
  await sync.drain();
  assert.equal(members(sync), 0);
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("a lead that may not be mailed is not enrolled until it may", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "back@example.test", {
    ...highValue,
    email_status: "unsubscribed",
  });
  await sync.drain();
  assert.equal(members(sync), 0);
  await sync.sql`update public.leads set email_status = 'subscribed' where id = ${id}`;
  await sync.drain();
  assert.equal(members(sync), 1);
});

Deno.test("a lead that unsubscribes between claim and send is not enrolled", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "hasty@example.test", highValue);
  sync.mautic.failNext({ kind: "slow", match: "/contacts/new", delayMs: 150 });
  const saving = sync.mautic.waitForStart((request) => request.path.endsWith("/contacts/new"));
  const drained = sync.drain();
  await saving;
  await sync.sql`update public.leads set email_status = 'unsubscribed' where id = ${id}`;
  await drained;
  assert.equal(members(sync), 0);
  assert.equal((await sync.sql`select from mautic.enrollment`).count, 0);
});

Deno.test("nobody is enrolled twice: not by edits, not after a lost answer, not when staff did it first", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "once@example.test", highValue);
  sync.mautic.failNext({ kind: "cut_after", match: "/campaigns/" });
  await sync.drain();
  assert.equal(members(sync), 1, "Mautic had done it");
  await sync.skipWaits();
  await sync.drain();
  for (const name of ["A", "B"]) {
    await sync.sql`update public.leads set first_name = ${name} where id = ${id}`;
    await sync.drain();
  }
  const added = sync.mautic.requests.filter((request) =>
    /campaigns\/\d+\/contact/.test(request.path)
  );
  assert.equal(added.length, 1);

  const other = await insertLead(sync.sql, "staff-did@example.test", { ...highValue, ml_score: 1 });
  await sync.drain();
  const contact = sync.mautic.contactByEmail("staff-did@example.test");
  await sync.call({
    action: "add_to_campaign",
    mauticContactId: contact?.id,
    campaignId: sync.mautic.campaignId,
  });
  await sync.sql`update public.leads set ml_score = 99 where id = ${other}`;
  await sync.drain();
  const rotations = sync.mautic.campaignMembers(sync.mautic.campaignId);
  assert.equal(rotations.length, 2);
  assert.equal(
    sync.mautic.requests.filter((request) => /campaigns\/\d+\/contact/.test(request.path)).length,
    2,
  );
});

Deno.test("a contact deleted right before its enrolment is created again, and no campaign is blamed", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "vanish@example.test", highValue);
  sync.mautic.failNext({ kind: "slow", match: "/campaigns/", delayMs: 100 });
  const adding = sync.mautic.waitForStart((request) => request.path.includes("/campaigns/"));
  const drained = sync.drain();
  await adding;
  await sync.mautic.deleteContact(sync.mautic.contactByEmail("vanish@example.test")!.id);
  await drained;
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(members(sync), 1);
});

Deno.test("an opt-out that the answer to a UTM tag shows is known before the enrolment", async () => {
  await using sync = await startSync({ env: { MAUTIC_NATIVE_UTM_TAGS: "true" } });
  sync.mautic.failNext({ kind: "slow", match: "/utm/add", delayMs: 150 });
  const tagging = sync.mautic.waitForStart((request) => request.path.endsWith("/utm/add"));
  await insertLead(sync.sql, "tagged@example.test", {
    crm_status: "qualified",
    marketing_opt_in: true,
    ml_score: 90,
    utm_source: "web",
  });
  const drained = sync.drain();
  await tagging;
  await sync.mautic.addDoNotContact("tagged@example.test", { reason: 1, comments: "by staff" });
  await drained;
  assert.deepEqual(sync.mautic.campaignMembers(sync.mautic.campaignId), []);
});
