import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const eligible = { crm_status: "qualified", marketing_opt_in: true };

async function historyOf({ sql }: Sync, id: string) {
  const rows = await sql<{ detail: { enrollment?: string } }[]>`
    select detail from mautic.lead_history(${id}) where event = 'sync_done' order by at`;
  return rows.map(({ detail }) => detail.enrollment);
}

const notTaken = ({ log }: Sync) =>
  log.filter(({ event, message }) => [event, message].includes("field_not_taken"));

Deno.test("the history of a lead tells why it was not enrolled, with the numbers", async () => {
  await using sync = await startSync();
  const low = await insertLead(sync.sql, "low@example.test", { ...eligible, ml_score: 0.97 });
  const high = await insertLead(sync.sql, "high@example.test", { ...eligible, ml_score: 85 });
  const none = await insertLead(sync.sql, "none@example.test", eligible);
  await sync.drain();
  assert.deepEqual(await historyOf(sync, low), ["below_threshold: 0.97 of 70"]);
  assert.deepEqual(await historyOf(sync, high), ["enrolled"]);
  assert.deepEqual(await historyOf(sync, none), ["no_score"]);
});

Deno.test("with enrolment off the history says nothing of it", async () => {
  await using sync = await startSync({ env: { MAUTIC_ENROLLMENT_ENABLED: "false" } });
  const id = await insertLead(sync.sql, "a@example.test", { ...eligible, ml_score: 0.97 });
  await sync.drain();
  assert.deepEqual(await historyOf(sync, id), [undefined]);
});

Deno.test("a threshold with decimals enrols by probabilities", async () => {
  await using sync = await startSync({ env: { MAUTIC_HIGH_VALUE_THRESHOLD: "0.7" } });
  const high = await insertLead(sync.sql, "a@example.test", { ...eligible, ml_score: 0.97 });
  const low = await insertLead(sync.sql, "b@example.test", { ...eligible, ml_score: 0.4 });
  await sync.drain();
  assert.deepEqual(await historyOf(sync, high), ["enrolled"]);
  assert.deepEqual(await historyOf(sync, low), ["below_threshold: 0.4 of 0.7"]);
});

Deno.test("scores below 1 that Mautic holds and shows as 0 are read once, and not called dropped", async () => {
  await using sync = await startSync();
  const ids = [];
  for (const [i, score] of [0.97, 0.4, 12].entries()) {
    ids.push(await insertLead(sync.sql, `p${i}@example.test`, { ml_score: score }));
  }
  await sync.drain();
  const reads = () =>
    sync.mautic.requests.filter(({ method, path }) => method === "GET" && /contacts/.test(path))
      .length;
  assert.deepEqual(notTaken(sync), []);
  assert.equal(reads(), 1, "one request for all of the batch");
  const rows = await sync.sql<{ held: number; refused: object }[]>`
    select (c.snapshot ->> 'hki_score')::float as held, c.refused
    from mautic.contact c order by c.address`;
  assert.deepEqual(rows.map(({ held, refused }) => [held, refused]), [
    [0.97, {}],
    [0.4, {}],
    [12, {}],
  ]);
  // What is confirmed is neither sent nor read again.
  const before = sync.mautic.requests.length;
  await sync.sql`select mautic.replay(${ids[0]!})`;
  await sync.drain();
  assert.equal(sync.mautic.requests.length, before);
});

Deno.test("a score below 1 that Mautic did drop is reported once, after it was read", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "a@example.test", { ml_score: 5 });
  await sync.drain();
  const contact = sync.mautic.contactByEmail("a@example.test");
  assert.ok(contact);
  // As Mautic's source has it: what is 0 without its decimals is left out of a save.
  const set = contact.values.set.bind(contact.values);
  contact.values.set = (alias, value) => set(alias, alias === "hki_score" ? 0 : value);
  await sync.sql`update public.leads set ml_score = 0.97 where id::text = ${id}`;
  await sync.drain();
  assert.deepEqual(notTaken(sync).map(({ field, got }) => [field, got]), [[
    "hki_score",
    "dropped",
  ]]);
  const [row] = await sync.sql`select refused from mautic.contact`;
  assert.deepEqual(row?.["refused"], { hki_score: 0.97 });
});
