import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

// A failing webhook makes Mautic answer 500 although the contact was saved (recorded:
// webhook-receiver-500; docs/mautic.md, "Switching off").
Deno.test("a lead that died of 500s with the work done makes no second contact when its address is corrected", async () => {
  await using sync = await startSync();
  sync.mautic.failNext({
    kind: "500_after",
    match: (request) => JSON.stringify(request.body).includes("old@example.test"),
    times: Infinity,
  });
  const id = await insertLead(sync.sql, "old@example.test");
  for (let round = 0; round < 6; round++) {
    await insertLead(sync.sql, `healthy${round}@example.test`);
    await sync.drain();
    await sync.skipWaits();
  }
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.error_code), ["mautic_failed"]);
  assert.ok(sync.mautic.contactByEmail("old@example.test"), "Mautic had saved it");
  sync.mautic.clearFaults();
  const before = sync.mautic.contacts.size;
  await sync.sql`update public.leads set email = 'new@example.test' where id = ${id}`;
  for (let round = 0; round < 2; round++) await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(sync.mautic.contacts.size, before);
});
