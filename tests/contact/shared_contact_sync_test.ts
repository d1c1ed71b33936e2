import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

/** Two leads that came one after the other and are one contact, by their address. */
async function twoLeads(
  sync: Sync,
  first: Record<string, unknown> = {},
  second: Record<string, unknown> = {},
): Promise<[first: string, second: string]> {
  const ids: [string, string] = [
    await insertLead(sync.sql, "both@example.test", { first_name: "First", ...first }),
    await insertLead(sync.sql, "both@example.test", { first_name: "Second", ...second }),
  ];
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 1);
  return ids;
}

async function move(sync: Sync, leadId: string, email: string): Promise<void> {
  await sync.sql`update public.leads set email = ${email} where id = ${leadId}`;
}

/** Address → first name and phone, as Mautic has them. */
function shown(sync: Sync): Record<string, unknown[]> {
  return Object.fromEntries(
    [...sync.mautic.contacts.values()].map((contact) => [
      String(contact.values.get("email")),
      ["firstname", "phone"].map((alias) => contact.values.get(alias) ?? null),
    ]),
  );
}

async function contactOf(sync: Sync, leadId: string): Promise<number | undefined> {
  const [link] = await sync.sql<{ contact_id: number }[]>`
    select contact_id::int from mautic.contact_link where lead_id = ${leadId}`;
  return link?.contact_id;
}

for (const mover of [0, 1] as const) {
  const name = mover === 0 ? "older" : "newer";
  Deno.test(`the ${name} of two leads on one contact moves away: the contact stays with the other`, async () => {
    await using sync = await startSync();
    const ids = await twoLeads(sync, { phone: "1" }, { phone: "2" });
    const contact = await contactOf(sync, ids[0]);
    await move(sync, ids[mover], "moved@example.test");
    await sync.drain();
    await sync.drain();
    assert.deepEqual(shown(sync), {
      "both@example.test": mover === 0 ? ["Second", "2"] : ["First", "1"],
      "moved@example.test": mover === 0 ? ["First", "1"] : ["Second", "2"],
    });
    assert.equal(await contactOf(sync, ids[1 - mover]!), contact);
    assert.notEqual(await contactOf(sync, ids[mover]), contact);
    assert.deepEqual(await outbox(sync.sql), []);
  });
}

Deno.test("a lead that leaves a contact takes along what only it had filled", async () => {
  await using sync = await startSync();
  const [, second] = await twoLeads(sync, {}, { phone: "2" });
  await move(sync, second, "moved@example.test");
  await sync.drain();
  await sync.drain();
  assert.deepEqual(shown(sync), {
    "both@example.test": ["First", null],
    "moved@example.test": ["Second", "2"],
  });
});

Deno.test("leads of one contact that move together take it along", async () => {
  await using sync = await startSync();
  const ids = await twoLeads(sync);
  const contact = await contactOf(sync, ids[0]);
  await sync.sql`update public.leads set email = 'moved@example.test'`;
  await sync.drain();
  await sync.drain();
  assert.deepEqual(shown(sync), { "moved@example.test": ["Second", null] });
  assert.deepEqual([await contactOf(sync, ids[0]), await contactOf(sync, ids[1])], [
    contact,
    contact,
  ]);
});

Deno.test("leads of one contact that move to different addresses become two contacts", async () => {
  await using sync = await startSync();
  const [first, second] = await twoLeads(sync);
  await move(sync, first, "one@example.test");
  await move(sync, second, "two@example.test");
  await sync.drain();
  await sync.drain();
  assert.deepEqual(shown(sync), {
    "one@example.test": ["First", null],
    "two@example.test": ["Second", null],
  });
});

Deno.test("a lead that leaves a contact joins the one that has its new address", async () => {
  await using sync = await startSync();
  const [first] = await twoLeads(sync);
  await insertLead(sync.sql, "there@example.test", { first_name: "There" });
  await sync.drain();
  await move(sync, first, "there@example.test");
  await sync.drain();
  assert.deepEqual(shown(sync), {
    "both@example.test": ["Second", null],
    "there@example.test": ["First", null],
  });
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("a lead that leaves while the answer is lost is found again, not created twice", async () => {
  await using sync = await startSync();
  const [first] = await twoLeads(sync);
  await move(sync, first, "moved@example.test");
  sync.mautic.failNext({ kind: "cut_after", match: "/contacts/new" });
  await sync.drain();
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(shown(sync), {
    "both@example.test": ["Second", null],
    "moved@example.test": ["First", null],
  });
  assert.deepEqual(sync.mautic.duplicateEmails(), []);
});

Deno.test("a late answer of a lost lease does not bring a lead back to the contact it left", async () => {
  await using sync = await startSync();
  const [first, second] = await twoLeads(sync);
  const old = await contactOf(sync, first);
  await move(sync, first, "moved@example.test");
  await sync.drain();
  const now = await contactOf(sync, first);
  const late = [{
    lead_id: first,
    result: "done",
    contact_id: old,
    address: "both@example.test",
    lead_address: "both@example.test",
  }];
  await sync.sql`
    select mautic.settle(${sync.mautic.url}, gen_random_uuid(), ${sync.sql.json(late)})`;
  assert.deepEqual([await contactOf(sync, first), await contactOf(sync, second)], [now, old]);
});

Deno.test("upsert_contact with another address leaves a shared contact with its other lead", async () => {
  await using sync = await startSync();
  const [first] = await twoLeads(sync);
  const { answer } = await sync.call({
    action: "upsert_contact",
    payload: { id: first, contact: { email: "direct@example.test", first_name: "Direct" } },
  });
  assert.equal(answer.ok, true);
  assert.deepEqual(shown(sync)["both@example.test"]?.[0], "Second");
  assert.deepEqual(shown(sync)["direct@example.test"]?.[0], "Direct");
});

Deno.test("a lead that goes to a contact of its own sends no blanks with the creation", async () => {
  await using sync = await startSync();
  const [first] = await twoLeads(sync, { phone: "1" });
  await sync.sql`
    update public.leads set email = 'moved@example.test', phone = null where id = ${first}`;
  await sync.drain();
  const created = sync.mautic.requests.findLast((request) => request.path === "/api/contacts/new");
  assert.deepEqual(created?.body, {
    firstname: "First",
    hki_lead_id: first,
    email: "moved@example.test",
  });
});

Deno.test("a replay is no change: an older lead written since for another reason stays the older one", async () => {
  await using sync = await startSync();
  const [first] = await twoLeads(sync);
  const touch = () => sync.sql`update public.leads set updated_at = now() where id = ${first}`;
  await touch();
  await sync.sql`select mautic.replay(${first}, true)`;
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["Second", null] });
});

Deno.test("a replay of a lead that still waits keeps the time of its change", async () => {
  await using sync = await startSync();
  const older = await insertLead(sync.sql, "both@example.test", { first_name: "First" });
  await insertLead(sync.sql, "both@example.test", { first_name: "Second" });
  await sync.sql`update public.leads set updated_at = now() where id = ${older}`;
  await sync.sql`select mautic.replay(${older}, true)`;
  await sync.drain();
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["Second", null] });
});

Deno.test("a lead alone on its contact that takes another contact's address is a dead letter, and both stay", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "one@example.test", { first_name: "One" });
  await insertLead(sync.sql, "two@example.test", { first_name: "Two" });
  await sync.drain();
  await move(sync, id, "two@example.test");
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => [row.lead_id, row.error_code]), [
    [id, "duplicate_contact"],
  ]);
  assert.deepEqual(shown(sync), {
    "one@example.test": ["One", null],
    "two@example.test": ["Two", null],
  });
});

Deno.test("becoming mailable again makes no lead of a person newer than another", async () => {
  await using sync = await startSync();
  const [first, second] = await twoLeads(sync);
  await sync.sql`update public.leads set email_status = 'unsubscribed'`;
  // The older one comes last.
  for (const id of [second, first]) {
    await sync.sql`update public.leads set email_status = 'subscribed' where id = ${id}`;
  }
  await sync.sql`update mautic.contact set snapshot = '{}'`;
  await sync.drain();
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["Second", null] });
});

Deno.test("a lead whose fields went through, but not what comes after, moves away: the contact stays with the other", async () => {
  await using sync = await startSync();
  sync.mautic.failNext({ kind: "503", match: "/dnc/email/add", times: Infinity });
  const mover = await insertLead(sync.sql, "both@example.test", { marketing_opt_in: false });
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.state), ["waiting"]);
  const contact = await contactOf(sync, mover);
  sync.mautic.clearFaults();
  const stays = await insertLead(sync.sql, "both@example.test", { first_name: "Stays" });
  await sync.drain();
  await move(sync, mover, "moved@example.test");
  await sync.sql`update public.leads set first_name = 'Mover' where id = ${mover}`;
  for (let round = 0; round < 3; round++) {
    await sync.skipWaits();
    await sync.drain();
  }
  assert.deepEqual(shown(sync), {
    "both@example.test": ["Stays", null],
    "moved@example.test": ["Mover", null],
  });
  assert.equal(await contactOf(sync, stays), contact);
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("a newer lead that becomes a dead letter leaves its contact to the others", async () => {
  await using sync = await startSync();
  const [first, second] = await twoLeads(sync, { phone: "1" }, { phone: "2" });
  await move(sync, second, "no address");
  await sync.drain();
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["First", "1"] });
  // Not before it is corrected.
  await sync.sql`update public.leads set phone = '3' where id = ${first}`;
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["First", "3"] });
  assert.deepEqual((await outbox(sync.sql)).map((row) => [row.lead_id, row.state]), [
    [second, "dead"],
  ]);
  await move(sync, second, "both@example.test");
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["Second", "2"] });
});

Deno.test("a lead whose fields got through stays the newest, whatever else makes it a dead letter", async () => {
  await using sync = await startSync({ env: { MAUTIC_CAMPAIGN_HIGH_VALUE: "9999" } });
  const high = { crm_status: "qualified", marketing_opt_in: true, ml_score: 90 };
  const [, second] = await twoLeads(sync, {}, high);
  assert.deepEqual((await outbox(sync.sql)).map((row) => [row.lead_id, row.error_code]), [
    [second, "campaign_not_found"],
  ]);
  await sync.drain();
  assert.deepEqual(shown(sync), { "both@example.test": ["Second", null] });
});

Deno.test("a merge that is found out brings the newest lead's values to the survivor again", async () => {
  await using sync = await startSync();
  const loser = await insertLead(sync.sql, "loser@example.test", { first_name: "Loser" });
  const winner = await insertLead(sync.sql, "winner@example.test", { first_name: "Winner" });
  await insertLead(sync.sql, "taken@example.test");
  const other = await insertLead(sync.sql, "other@example.test");
  await sync.drain();
  const [from, into] = [await contactOf(sync, loser), await contactOf(sync, winner)];
  await sync.sql`update public.leads set phone = '1' where id = ${winner}`;
  await sync.drain();
  await sync.mautic.mergeContacts(from!, into!);
  // What an attempt on the other contact did, or the merge itself.
  sync.mautic.contacts.get(into!)!.values.set("firstname", "Loser");
  // Read first, because two are edited; then refused.
  await move(sync, loser, "taken@example.test");
  await sync.sql`update public.leads set phone = '3' where id = ${other}`;
  await sync.drain();
  await sync.drain();
  assert.equal(await contactOf(sync, loser), into);
  assert.deepEqual(shown(sync)["winner@example.test"], ["Winner", "1"]);
});

Deno.test("a change that needs nothing sent makes its lead the newest all the same", async () => {
  await using sync = await startSync();
  const [first, second] = await twoLeads(sync);
  sync.mautic.failNext({ kind: "503", match: "/edit", times: Infinity });
  await sync.sql`update public.leads set phone = '9' where id = ${first}`;
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.state), ["waiting"]);
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${second}`;
  sync.mautic.clearFaults();
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.lead_id), [first]);
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.deepEqual(shown(sync), { "both@example.test": ["Second", null] });
});

for (const newest of ["loser", "winner"] as const) {
  Deno.test(`of leads that turn out to be one contact, the newest's consent counts: the ${newest}'s`, async () => {
    await using sync = await startSync();
    const high = { crm_status: "qualified", ml_score: 90, marketing_opt_in: null };
    const loser = await insertLead(sync.sql, "loser@example.test", high);
    const winner = await insertLead(sync.sql, "winner@example.test", high);
    await sync.drain();
    const survivor = (await contactOf(sync, winner))!;
    await sync.mautic.mergeContacts((await contactOf(sync, loser))!, survivor);
    const [older, newer] = newest === "winner" ? [loser, winner] : [winner, loser];
    const answer = async (id: string, optIn: boolean) =>
      await sync.sql`update public.leads set marketing_opt_in = ${optIn} where id = ${id}`;
    const members = () => sync.mautic.campaignMembers(sync.mautic.campaignId).length;
    const entries = () => sync.mautic.contacts.get(survivor)!.doNotContact.length;

    await answer(older, true);
    await answer(newer, false);
    await sync.drain();
    assert.deepEqual([members(), entries()], [0, 1]);
    // Known is what stands there now, so that it can be lifted.
    await sync.drain();
    await answer(newer, true);
    await sync.drain();
    assert.deepEqual([members(), entries()], [1, 0]);
  });
}
