import assert from "node:assert/strict";
import { claim, insertLead, settle, startWorker } from "../support/leads.ts";
import { endsOrWaits } from "../support/locks.ts";
import { origin, outcomes, startWebhook } from "../consent/support.ts";

// Mautic's events about contacts that are not linked yet are applied by the settle that links them.
Deno.test("a settle of many does not abort an application's transaction that updates the same leads", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const ids: string[] = [];
  for (let n = 0; n < 10; n++) ids.push(await insertLead(db.sql, `p${n}@example.test`));
  ids.sort();
  // Known by their contact ids only (Mautic has cleaned the addresses, or staff changed them there).
  await outcomes(
    inbox,
    ...ids.map((_, n) => ({ id: n + 1, status: "unsubscribed", at: 1 })),
  );
  const worker = await startWorker(db.sql);
  const claimed = await claim(db.sql, worker, { at: origin });
  const [first, ...others] = ids;
  const job = await db.sql.reserve();
  try {
    await job`begin`;
    await job`update public.leads set ml_score = 1 where id = any (${others})`;
    const settled = settle(
      db.sql,
      claimed.lease_token,
      ids.map((lead_id, n) => ({
        lead_id,
        result: "done",
        contact_id: n + 1,
        address: "x@y.test",
      })),
    );
    await endsOrWaits(db, settled);
    let failed: unknown = null;
    await job`update public.leads set ml_score = 1 where id = ${first!}`.catch((error) => {
      failed = error;
    });
    await job`rollback`;
    await settled;
    assert.equal(String(failed), "null", "the application's own transaction was aborted");
  } finally {
    job.release();
  }
});
