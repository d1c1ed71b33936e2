import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("a native UTM tag that could not be added at once is added by the next attempt", async () => {
  await using sync = await startSync({ env: { MAUTIC_NATIVE_UTM_TAGS: "true" } });
  sync.mautic.failNext({ kind: "503", match: "/utm/add", times: Infinity });
  await insertLead(sync.sql, "utm@example.test", { utm_source: "ad", utm_campaign: "c" });
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.state), ["waiting"]);
  sync.mautic.clearFaults();
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.deepEqual(
    sync.mautic.contactByEmail("utm@example.test")?.utmTags.map((
      tag,
    ) => [tag.source, tag.campaign]),
    [["ad", "c"]],
  );
});
