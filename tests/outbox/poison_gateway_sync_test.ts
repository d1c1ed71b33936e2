import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

/** 65 s go by: what is due is drained, by probes too, until nothing is; then the graces are over. */
async function letGraceGoBy(sync: Sync): Promise<void> {
  for (let probe = 0; probe < 12; probe++) {
    await sync.sql`update mautic.sending set probe_at = mautic.clock() where probe_at is not null`;
    await sync.drain();
    if ((await outbox(sync.sql)).every((row) => row.state !== "pending")) break;
  }
  await sync.sql`update mautic.outbox set not_before = mautic.clock() where state = 'waiting'`;
}

// A lead whose save crashes PHP-FPM (502 by nginx) or runs into the gateway's time limit (504).
for (const kind of ["502", "504", "cut_before"] as const) {
  Deno.test(`one lead that makes Mautic's gateway answer ${kind} does not keep the others of its batch`, async () => {
    await using sync = await startSync();
    sync.mautic.failNext({
      kind,
      match: (request) => JSON.stringify(request.body).includes("poison@example.test"),
      times: Infinity,
    });
    await insertLead(sync.sql, "poison@example.test");
    for (let n = 0; n < 19; n++) await insertLead(sync.sql, `l${n}@example.test`);
    for (let round = 0; round < 15; round++) {
      await insertLead(sync.sql, `healthy${round}@example.test`);
      await letGraceGoBy(sync);
    }
    const left = await sync.sql<{ email: string; attempts: number }[]>`
      select l.email, o.attempts from mautic.outbox o join public.leads l on l.id::text = o.lead_id`;
    assert.deepEqual(left.map((row) => row.email), ["poison@example.test"], JSON.stringify(left));
  });
}
