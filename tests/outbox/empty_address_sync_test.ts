import assert from "node:assert/strict";
import { claim, insertLead, settle, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

// What many applications write where there is no address: an empty text.
Deno.test("leads without an address do not stand in the way of those behind them", async () => {
  await using db = await testDatabase();
  await db.sql`insert into public.leads (email) select '' from generate_series(1, 2500)`;
  const valid = await insertLead(db.sql, "valid@example.test");
  const worker = await startWorker(db.sql, 600_000);
  let claims = 0;
  let dead = 0;
  const startedAt = performance.now();
  while (claims < 100) {
    claims++;
    const taken = await claim(db.sql, worker, { leaseMs: 600_000 });
    if (taken.items.some((item) => item.lead_id === valid)) break;
    dead += taken.items.length;
    await settle(
      db.sql,
      taken.lease_token,
      taken.items.map((item) => ({
        lead_id: item.lead_id,
        result: "dead",
        error_code: "invalid_email",
        error_message: "none",
      })),
    );
  }
  assert.ok(
    claims < 60,
    `after ${claims} claims and ${
      Math.round(performance.now() - startedAt)
    } ms ${dead} of 2500 leads are through, the valid one is not`,
  );
});
