import assert from "node:assert/strict";
import { insertLead, outbox } from "../database/support.ts";
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
