import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("GET answers 200 with the status, and 503 once a live change is late", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "due@example.test");
  const well = await sync.get();
  assert.equal(well.status, 200);
  assert.equal(well.answer.data?.["unfolded"], 1);
  assert.equal(well.answer.data?.["circuit"], "closed");

  await sync.sql`update mautic.lead_change set changed_at = changed_at - interval '6 minutes'`;
  const late = await sync.get();
  assert.deepEqual([late.status, late.answer.error?.code], [503, "sync_late"]);
  assert.match(late.answer.error!.message, /3[56]\d s ago/);
  await sync.sql`select mautic.pause()`;
  assert.match((await sync.get()).answer.error!.message, /paused/);

  await sync.sql`select mautic.resume()`;
  await sync.drain();
  assert.equal((await sync.get()).status, 200);
});

Deno.test("a backfill is not late; a circuit that stays open is", async () => {
  await using sync = await startSync();
  await sync.sql`alter table public.leads disable trigger user`;
  await insertLead(sync.sql, "old@example.test");
  await sync.sql`select mautic.replay_where(everything => true)`;
  await sync
    .sql`update mautic.lead_change set queued_at = now() - interval '1 day', changed_at = now() - interval '1 day'`;
  assert.equal((await sync.get()).status, 200);
  await sync.sql`
    update mautic.sending set halts = 3, halt_code = 'unavailable', origin = ${sync.mautic.url},
      opened_at = now() - interval '6 minutes', probe_at = now() + interval '20 seconds'`;
  const down = await sync.get();
  assert.equal(down.status, 503);
  assert.match(down.answer.error!.message, /trouble \(unavailable\)/);
});

Deno.test("the threshold is a setting, and a wrong one is named", async () => {
  await using sync = await startSync({ env: { MAUTIC_HEALTH_MAX_AGE_MS: "1000" } });
  await insertLead(sync.sql, "due@example.test");
  await sync.sql`update mautic.lead_change set changed_at = changed_at - interval '2 seconds'`;
  assert.equal((await sync.get()).status, 503);
  await using wrong = await startSync({ env: { MAUTIC_HEALTH_MAX_AGE_MS: "soon" } });
  const { status, answer } = await wrong.get();
  assert.deepEqual([status, answer.error?.code], [503, "invalid_configuration"]);
});

Deno.test("without the secret key GET tells nothing", async () => {
  await using sync = await startSync();
  for (const headers of [{}, { apikey: "sb_publishable_x" }]) {
    const { status, answer } = await sync.get(headers);
    assert.deepEqual([status, answer.error?.code, answer.data], [401, "unauthorized", undefined]);
  }
});
