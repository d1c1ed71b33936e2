import assert from "node:assert/strict";
import { insertLead, outbox, rings } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

async function insertMany(sync: Sync, count: number): Promise<void> {
  await sync.sql`
    insert into public.leads (email) select 'w' || i || '@example.test' from generate_series(1, ${count}) i`;
}

function batchSizes(sync: Sync): number[] {
  return sync.mautic.requests
    .filter((request) => request.path.endsWith("/batch/new"))
    .map((request) => request.itemCount);
}

function drainedLine(sync: Sync) {
  return sync.log.find((line) => line["message"] === "drained");
}

Deno.test("a worker keeps its lease and its items' while a request takes longer than the lease", async () => {
  await using sync = await startSync({
    env: { MAUTIC_WORKER_LEASE_MS: "600", MAUTIC_BATCH_SIZE: "5" },
  });
  sync.mautic.failNext({ kind: "slow", match: "/batch/new", delayMs: 1_500 });
  await insertMany(sync, 10);
  await sync.drain();
  assert.deepEqual([drainedLine(sync)?.["ended"], drainedLine(sync)?.["leads"]], ["idle", 10]);
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("a worker that sees more than a batch waiting rings once for a colleague", async () => {
  await using sync = await startSync({ env: { MAUTIC_BATCH_SIZE: "5" } });
  await insertMany(sync, 5);
  await sync.sql`truncate net.http_request_queue`;
  await sync.drain();
  assert.equal(await rings(sync.sql), 0, "one batch is one worker's");

  await sync.sql`update public.leads set first_name = 'W'`;
  await insertLead(sync.sql, "more@example.test");
  await insertLead(sync.sql, "and-more@example.test");
  await sync.sql`truncate net.http_request_queue`;
  await sync.drain();
  assert.equal(await rings(sync.sql), 1);
});

Deno.test("a worker at the end of its budget stops and rings for its successor", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "5", MAUTIC_WORKER_BUDGET_LEADS: "10", MAUTIC_MAX_WORKERS: "1" },
  });
  await insertMany(sync, 12);
  await sync.sql`truncate net.http_request_queue`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 10);
  assert.equal(await rings(sync.sql), 1);
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 12);
  assert.equal((await sync.sql`select from mautic.worker`).count, 0);
});

Deno.test("a worker that has made as many requests as its CPU time allows stops, however few leads it sent", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "1", MAUTIC_WORKER_BUDGET_REQUESTS: "20", MAUTIC_MAX_WORKERS: "1" },
  });
  await insertMany(sync, 30);
  await sync.sql`truncate net.http_request_queue`;
  await sync.drain();
  const { ended, leads, requests } = drainedLine(sync) ?? {};
  assert.equal(ended, "budget");
  assert.ok(Number(leads) > 0 && Number(leads) < 20, `${leads} leads`);
  // The batch it is in is finished: what the claim brought may take a few more.
  assert.ok(Number(requests) >= 20 && Number(requests) < 30, `${requests} requests`);
  assert.equal(await rings(sync.sql), 1);
});

Deno.test("a busy worker near the end of its budget has its successor started before it goes", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "1", MAUTIC_WORKER_BUDGET_LEADS: "10" },
  });
  await insertMany(sync, 10);
  await sync.sql`truncate net.http_request_queue`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 10);
  assert.equal(
    await rings(sync.sql),
    2,
    "one for a colleague, one for the successor; nothing was left",
  );
});

Deno.test("batches shrink when Mautic is slow, and grow back", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "20", MAUTIC_REQUEST_TIMEOUT_MS: "3000" },
  });
  sync.mautic.failNext({ kind: "slow", match: "/batch/new", delayMs: 1_200 });
  await insertMany(sync, 65);
  await sync.drain();
  // The third was claimed when the second was on its way.
  assert.deepEqual(batchSizes(sync), [20, 10, 10, 15, 10]);
});

Deno.test("the next batch is claimed while one is on its way, and no third", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "5" },
    mautic: { latency: { cores: 2, cost: () => ({ request: 200, item: 0 }) } },
  });
  await insertMany(sync, 40);
  let isOver = false;
  const drained = sync.drain().finally(() => isOver = true);
  const batches = new Set<number>();
  while (!isOver) {
    const [row] = await sync.sql<{ n: number }[]>`
      select count(distinct lease_token)::int as n from mautic.outbox where state = 'leased'`;
    batches.add(row!.n);
  }
  await drained;
  assert.equal(Math.max(...batches), 2);
  assert.equal(sync.mautic.contacts.size, 40);
});

Deno.test("a batch that was claimed when the one before it brought the run to a halt goes back untried, and counts as no halt", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "5" },
    mautic: { latency: { cores: 2, cost: () => ({ request: 50, item: 0 }) } },
  });
  await insertMany(sync, 30);
  sync.mautic.failNext({ kind: "503", match: "/batch/new", skip: 2, times: 100 });
  await sync.drain();
  const rows = await sync.sql<
    { state: string; attempts: number; code: string | null; n: number }[]
  >`
    select state, attempts, error_code as code, count(*)::int as n from mautic.outbox
    group by 1, 2, 3 order by 1, 2`;
  assert.deepEqual([...rows], [
    { state: "pending", attempts: 0, code: null, n: 15 },
    { state: "waiting", attempts: 1, code: "unavailable", n: 5 },
  ]);
  const [circuit] = await sync.sql`select halts from mautic.sending`;
  assert.equal(circuit?.["halts"], 1);
});

Deno.test("a request that takes longer than several renewals does not bring the batch after it to a halt", async () => {
  await using sync = await startSync({
    // In proportion to a request's 30 s as by default.
    env: { MAUTIC_WORKER_LEASE_MS: "600", MAUTIC_BATCH_SIZE: "5" },
  });
  await insertMany(sync, 40);
  sync.mautic.failNext({ kind: "slow", match: "/batch/new", skip: 2, delayMs: 1_500 });
  await sync.drain();
  assert.deepEqual([drainedLine(sync)?.["ended"], drainedLine(sync)?.["leads"]], ["idle", 40]);
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("what somebody says while a batch hangs is heeded by the batch that was claimed meanwhile", async () => {
  await using sync = await startSync({ env: { MAUTIC_BATCH_SIZE: "5" } });
  await sync.sql`
    insert into public.leads (email, crm_status, marketing_opt_in, ml_score)
    select 'w' || i || '@example.test', 'qualified', i > 15, 90 from generate_series(1, 30) i`;
  sync.mautic.failNext({ kind: "slow", match: "/batch/new", skip: 2, delayMs: 2_500 });
  const drained = sync.drain();
  const isWith = (address: string) =>
    sync.sql`select from mautic.outbox o join public.leads l on l.id::text = o.lead_id
      where o.state = 'leased' and l.email = ${address}`;
  await sync.until(async () => (await isWith("w16@example.test")).count > 0);
  await sync.sql`
    update public.leads set marketing_opt_in = false where email = 'w16@example.test'`;
  await drained;
  const [row] = await sync.sql<{ id: string }[]>`
    select id::text from public.leads where email = 'w16@example.test'`;
  const enrolled = sync.log.filter((line) => line["message"] === "enrolled");
  assert.ok(enrolled.length > 0);
  assert.ok(enrolled.every((line) => line["leadId"] !== row?.id));
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("no batch is begun once the budget is spent, were it claimed before", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "5", MAUTIC_WORKER_BUDGET_MS: "3000", MAUTIC_MAX_WORKERS: "1" },
  });
  await insertMany(sync, 60);
  // The third takes its worker past the budget.
  sync.mautic.failNext({ kind: "slow", match: "/batch/new", skip: 2, delayMs: 4_000 });
  await sync.drain();
  assert.deepEqual([drainedLine(sync)?.["ended"], drainedLine(sync)?.["leads"]], ["budget", 15]);
});

Deno.test("a worker begins with the batch size at which the last one ended: a slow Mautic is not tried in vain for ever", async () => {
  await using sync = await startSync({
    env: { MAUTIC_BATCH_SIZE: "20", MAUTIC_REQUEST_TIMEOUT_MS: "1000" },
    mautic: { latency: { cores: 2, cost: () => ({ request: 0, item: 60 }) } },
  });
  await insertMany(sync, 30);
  for (let run = 0; run < 4; run++) {
    await sync.drain();
    await sync.skipWaits();
  }
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(sync.mautic.contacts.size, 30);
  const [first, second, ...later] = sync.mautic.requests
    .filter((request) => request.method !== "GET" && request.path.startsWith("/api/contacts/"))
    .map((request) => request.itemCount);
  assert.deepEqual([first, second], [20, 10]);
  assert.ok(later.every((size) => size <= 6), `then ${later}`);
});
