import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

// Batches shrink where Mautic is slow or fails. A limit of calls wants larger ones, not smaller: with
// 3 calls an hour, batches of 40 bring 120 leads, batches of 5 bring 15.
Deno.test("Mautic's limit of calls does not make batches smaller", async () => {
  await using sync = await startSync({ env: { MAUTIC_BATCH_SIZE: "40" } });
  await insertLead(sync.sql, "first@example.test");
  await sync.drain();
  sync.mautic.failNext({
    kind: "429",
    match: "/contacts",
    times: Infinity,
    retryAfterSeconds: 600,
  });
  for (let n = 0; n < 4; n++) {
    await insertLead(sync.sql, `l${n}@example.test`);
    await sync.drain();
  }
  const [row] = await sync.sql<[{ batch_size: number }]>`select batch_size from mautic.sending`;
  assert.equal(row.batch_size, 40);
});
