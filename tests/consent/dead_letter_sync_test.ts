import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("a withdrawn consent reaches Mautic also when another value of the lead is refused", async () => {
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
  const id = await insertLead(sync.sql, "out@example.test", {
    crm_status: "qualified",
    marketing_opt_in: true,
  });
  await sync.drain();
  await sync
    .sql`update public.leads set crm_status = 'lost', marketing_opt_in = false where id = ${id}`;
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => [row.state, row.error_code]), [[
    "dead",
    "field_refused",
  ]]);
  assert.deepEqual(
    sync.mautic.contactByEmail("out@example.test")?.doNotContact.map((entry) => entry.reason),
    [3],
    "mailed on, until somebody sees to the dead letter",
  );
});

Deno.test("a withdrawn consent reaches Mautic also when the lead itself cannot be sent", async () => {
  await using sync = await startSync();
  const cases = [
    { set: { email: "removed" }, left: [{ state: "dead", error_code: "invalid_email" }] },
    // No fault: a lead without an address, and a value that is silent because it is none.
    { set: { email: null }, left: [] },
    { set: { ml_score: "NaN" }, left: [] },
  ];
  for (const [index, { set, left }] of cases.entries()) {
    const address = `out${index}@example.test`;
    const id = await insertLead(sync.sql, address, { marketing_opt_in: true });
    await sync.drain();
    await sync.sql`update public.leads set ${
      sync.sql({ ...set, marketing_opt_in: false })
    } where id = ${id}`;
    await sync.drain();
    const rows = await sync.sql`select state, error_code from mautic.outbox where lead_id = ${id}`;
    assert.deepEqual([...rows], left);
    assert.deepEqual(
      sync.mautic.contactByEmail(address)?.doNotContact.map((entry) => entry.reason),
      [3],
      `${JSON.stringify(set)}: mailed on, until somebody sees to it`,
    );
  }
});

Deno.test("a lead that cannot be sent withdraws nothing from a person who is another lead by now", async () => {
  await using sync = await startSync();
  const older = await insertLead(sync.sql, "both@example.test", { marketing_opt_in: true });
  await sync.drain();
  await insertLead(sync.sql, "both@example.test", { marketing_opt_in: true });
  await sync.drain();
  await sync
    .sql`update public.leads set email = 'removed', marketing_opt_in = false where id = ${older}`;
  await sync.drain();
  assert.deepEqual(sync.mautic.contactByEmail("both@example.test")?.doNotContact, []);
});

Deno.test("nor does one whose contact shows a newer lead", async () => {
  await using sync = await startSync();
  const older = await insertLead(sync.sql, "both@example.test", { marketing_opt_in: true });
  await sync.drain();
  await insertLead(sync.sql, "both@example.test", { marketing_opt_in: true });
  await sync.drain();
  await sync.sql.begin(async (sql) => {
    // As a restore of old rows does: no trigger tells of it, and somebody replays the lead.
    await sql`set local session_replication_role = replica`;
    await sql`update public.leads set ml_score = 'NaN', marketing_opt_in = false where id = ${older}`;
  });
  await sync.sql`select mautic.replay(${older})`;
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.deepEqual(sync.mautic.contactByEmail("both@example.test")?.doNotContact, []);
});

Deno.test("what a lead withdraws that is found by an address it had once is not another lead's consent", async () => {
  await using sync = await startSync();
  const moved = await insertLead(sync.sql, "old@example.test", { marketing_opt_in: true });
  await insertLead(sync.sql, "taken@example.test");
  await sync.drain();
  sync.mautic.failNext({ kind: "cut_after", match: "/edit" });
  await sync.sql`update public.leads set first_name = 'Ada' where id = ${moved}`;
  await sync.drain();
  // Its answer is lost, and it moves to an address that is somebody's. Its old one is another lead's.
  await sync.sql`update public.leads
    set email = 'taken@example.test', marketing_opt_in = false where id = ${moved}`;
  const other = await insertLead(sync.sql, "old@example.test", { marketing_opt_in: true });
  await sync.skipWaits();
  await sync.call({
    action: "upsert_contact",
    payload: {
      id: other,
      contact: { email: "old@example.test" },
      consent: { marketing_opt_in: true },
    },
  });
  await sync.drain();
  const dead = (await outbox(sync.sql)).filter((row) => row.state === "dead");
  assert.deepEqual(dead.map((row) => row.error_code), ["duplicate_contact"]);
  const added = sync.mautic.requests.filter(({ path }) => path.endsWith("/dnc/email/add"));
  assert.deepEqual(added.map(({ path }) => path), []);
});
