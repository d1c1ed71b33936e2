import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("a bounce that comes while our entries are being repeated is not replaced by them", async () => {
  await using sync = await startSync({ env: { MAUTIC_RETRY_DELAY_MS: "400" } });
  await insertLead(sync.sql, "a@example.test");
  await insertLead(sync.sql, "b@example.test");
  await sync.drain();
  sync.mautic.failNext({ kind: "503", match: "/batch/edit" });
  const failing = sync.mautic.waitForRequest((request) => request.path.endsWith("/batch/edit"));
  await sync.sql`update public.leads set marketing_opt_in = false`;
  const drained = sync.drain();
  await failing;
  await sync.mautic.bounce("a@example.test", "Unknown user");
  await drained;
  assert.deepEqual(
    sync.mautic.contactByEmail("a@example.test")?.doNotContact.map((entry) => entry.reason),
    [2],
  );
});
