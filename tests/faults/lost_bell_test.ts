import assert from "node:assert/strict";
import { type FaultStack, startFaultStack } from "./fault_stack.ts";
import { assertFinalState } from "./final_state.ts";
import { slowBatches } from "./slow_batches.ts";

const nobody = { everEligible: new Set<string>() };

async function insert({ stack: { sql } }: FaultStack, name: string, count: number): Promise<void> {
  await sql`
    insert into public.leads (email, first_name)
    select ${name} || i || '@example.test', 'First' from generate_series(1, ${count}) i`;
}

async function idleSweeps({ stack: { sql } }: FaultStack): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from cron.job_run_details d join cron.job j using (jobid)
    where j.jobname = 'mautic-sweep' and d.status = 'succeeded'`;
  return row?.n ?? 0;
}

Deno.test("rings that are lost, and a cron that stands still, cost time and no lead", async () => {
  await using faults = await startFaultStack();
  const { stack } = faults;
  stack.pgNet.pause();
  stack.pgCron.pause();
  await insert(faults, "lost", 30);
  const [queued] = await stack.admin<{ n: number }[]>`
    select count(*)::int as n from net.http_request_queue`;
  assert.ok((queued?.n ?? 0) > 0, "the write rang");
  await stack.pgNet.loseQueue();
  stack.pgNet.resume();
  // A ring of another kind gets through, so the bell works; nobody knows of the leads.
  await stack.sql`select mautic.ring_reconcile()`;
  await faults.holds(
    "the other ring",
    () => Promise.resolve(stack.mautic.requests.some(({ path }) => path.includes("stats"))),
  );
  assert.equal(stack.mautic.contacts.size, 0);

  const before = await idleSweeps(faults);
  stack.pgCron.resume();
  await assertFinalState(faults, nobody);
  assert.ok(await idleSweeps(faults) > before);
});

Deno.test("batches that pg_net sends twice, and rings from all sides, start no more than the allowed workers", async () => {
  await using faults = await startFaultStack({
    mautic: { latency: slowBatches() },
    // Nothing ends here before its time: on a machine so busy that a lease of half a second runs out,
    // its worker counts as dead and another one may start.
    functionEnv: { MAUTIC_WORKER_LEASE_MS: "10000", MAUTIC_REQUEST_TIMEOUT_MS: "30000" },
  });
  const { stack } = faults;
  for (let wave = 1; wave <= 4; wave++) {
    stack.pgNet.sendBatchTwice();
    await Promise.all([
      insert(faults, `w${wave}-a`, 30),
      insert(faults, `w${wave}-b`, 30),
      stack.sql`select mautic.ring('test'), mautic.ring('test'), mautic.ring('test')`,
      stack.pgCron.tickNow("mautic-sweep"),
    ]);
    await stack.sql`update public.leads set first_name = ${`Wave ${wave}`}`;
    await stack.mautic.waitForRequest(({ path }) => path.includes("/batch/"));
  }
  await assertFinalState(faults, nobody);
  assert.ok(stack.mautic.maximumInFlight() <= 2, `${stack.mautic.maximumInFlight()} at once`);
});
