import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

// A bounce's comment is what the receiving server said, byte for byte; JSON writes NUL as \u0000.
Deno.test("a do-not-contact comment that Postgres cannot store does not keep a batch from being settled", async () => {
  await using sync = await startSync({ env: { MAUTIC_RETRY_DELAY_MS: "0" } });
  await insertLead(sync.sql, "bounced@example.test");
  await insertLead(sync.sql, "other@example.test");
  await sync.drain();
  await sync.mautic.addDoNotContact("bounced@example.test", {
    reason: 2,
    comments: "550 5.1.1 unknown user\u0000",
  });
  await sync.sql`update public.leads set first_name = 'Edited'`;
  await sync.drain();
  const left = await outbox(sync.sql);
  const failed = sync.log.filter((line) => line["message"] === "settle_failed").map((line) =>
    line["code"]
  );
  assert.deepEqual([left.map((row) => row.state), failed], [[], []]);
});
