import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

interface Waiting {
  state: string;
  attempts: number;
  error_code: string | null;
  error_message: string | null;
  due_minutes: number | null;
}

async function items({ sql }: Sync) {
  const rows = await sql<Waiting[]>`
    select state, attempts, error_code, error_message,
      round(extract(epoch from not_before - mautic.clock()) / 60)::int as due_minutes
    from mautic.outbox order by enqueued_at, lead_id`;
  return [...rows];
}

const branche = { alias: "branche", label: "Branche", isRequired: true };
const waiting: Waiting = {
  state: "waiting",
  attempts: 0,
  error_code: "required_field",
  error_message: "branche is required in Mautic, and nothing is sent to it.",
  due_minutes: 10,
};

for (const leads of [1, 3]) {
  Deno.test(`a field that Mautic requires and no lead sends makes ${leads} wait, no dead letters, until it is free`, async () => {
    await using sync = await startSync();
    sync.mautic.addField(branche);
    for (let i = 0; i < leads; i++) await insertLead(sync.sql, `p${i}@example.test`);
    await sync.drain();
    assert.deepEqual(await items(sync), Array(leads).fill(waiting));
    const [status] = await sync.sql`
      select dead, required_field, required_fields from mautic.status`;
    assert.deepEqual({ ...status }, {
      dead: "0",
      required_field: String(leads),
      required_fields: waiting.error_message,
    });
    // A second refusal is no attempt either.
    await sync.skipWaits();
    await sync.drain();
    assert.deepEqual(await items(sync), Array(leads).fill(waiting));

    sync.mautic.requireField("branche", false);
    await sync.skipWaits();
    await sync.drain();
    assert.deepEqual(await items(sync), []);
    assert.equal(sync.mautic.contacts.size, leads);
  });
}

Deno.test("a required field that the lead could fill and does not is its own dead letter, and an edit sends it", async () => {
  await using sync = await startSync();
  sync.mautic.requireField("phone", true);
  await insertLead(sync.sql, "with@example.test", { phone: "+491" });
  const id = await insertLead(sync.sql, "without@example.test");
  await sync.drain();
  const [letter] = await sync.sql`select lead_id, reason, last_error from mautic.dead_letter`;
  assert.deepEqual({ ...letter }, {
    lead_id: id,
    reason: "field_refused",
    last_error: "phone is required in Mautic, the lead has none.",
  });
  await sync.sql`update public.leads set phone = '+492' where id::text = ${id}`;
  await sync.drain();
  assert.deepEqual(await items(sync), []);
});

Deno.test("a phone that is blanked while Mautic requires it is a dead letter, and consent withdrawn passes all the same", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "a@example.test", {
    phone: "+491",
    marketing_opt_in: true,
  });
  await sync.drain();
  sync.mautic.requireField("phone", true);
  await sync.sql`
    update public.leads set phone = null, marketing_opt_in = false where id::text = ${id}`;
  await sync.drain();
  assert.deepEqual((await items(sync)).map(({ state, error_code }) => [state, error_code]), [
    ["dead", "field_refused"],
  ]);
  assert.equal(sync.mautic.contactByEmail("a@example.test")?.doNotContact.length, 1);
});

Deno.test("a lead that is at fault besides is a dead letter for its own fault", async () => {
  const list = [{ label: "Qualified", value: "qualified" }];
  const stage = { alias: "hki_status", type: "select" as const, properties: { list } };
  await using sync = await startSync({ mautic: { customFields: [stage, branche] } });
  await insertLead(sync.sql, "a@example.test", { crm_status: "unheard of" });
  await sync.drain();
  const [item] = await items(sync);
  assert.deepEqual([item?.state, item?.error_code], ["dead", "field_refused"]);
  assert.match(item?.error_message ?? "", /hki_status/);
});

Deno.test("a caller of upsert_contact is told of the field", async () => {
  await using sync = await startSync();
  sync.mautic.addField(branche);
  const { status, answer } = await sync.call({
    action: "upsert_contact",
    payload: { id: "x", contact: { email: "x@example.test" } },
  });
  assert.deepEqual([status, answer.error?.code], [422, "required_field"]);
  assert.match(answer.error?.message ?? "", /^branche is required in Mautic/);
});
