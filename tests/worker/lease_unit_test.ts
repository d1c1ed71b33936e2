import assert from "node:assert/strict";
import { readSyncSettings, type SyncSettings } from "shared/settings/sync.ts";
import { outlasts } from "../../supabase/functions/mautic-sync/worker/lease.ts";

function settings(): SyncSettings {
  const read = readSyncSettings({
    MAUTIC_BASE_URL: "https://mautic.example.test",
    MAUTIC_CLIENT_ID: "1_id",
    MAUTIC_CLIENT_SECRET: "secret",
    MAUTIC_SERVER_TIME_LIMIT_MS: "60000",
  });
  assert.equal(read.mode, "live");
  return read.mode === "live" ? read.settings : assert.fail();
}

Deno.test("outlasts() allows a request only while the lease covers it and the server's own time", () => {
  const clock = { now: () => 1_000, sleep: () => Promise.resolve() };
  const may = (until: number) => outlasts({ until }, 30_000, settings(), clock);
  assert.deepEqual([91_000, 90_999, 1_000, 0].map(may), [true, false, false, false]);
});
