import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { claim, settle, startWorker } from "../support/leads.ts";

Deno.test("a lease is renewed while its batch is settled: neither waits for the other in a circle", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  for (let round = 0; round < 8; round++) {
    await sql`
      insert into public.leads (email)
      select 'r' || ${round}::int || '-' || i || '@example.test' from generate_series(1, 100) i`;
    const worker = await startWorker(sql, 600_000, 100);
    const { lease_token, items } = await claim(sql, worker, { limit: 100 });
    assert.equal(items.length, 100);
    let isOver = false;
    const renewed = (async () => {
      while (!isOver) await sql`select mautic.renew_worker(${worker}, 60000, 90000)`;
    })();
    const outcomes = items.map(({ lead_id }) => ({
      lead_id,
      result: "postponed",
      delay_ms: 600_000,
    }));
    await settle(sql, lease_token, outcomes).finally(() => isOver = true);
    await renewed;
  }
});
