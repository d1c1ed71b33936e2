import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import {
  claim,
  type Claimed,
  insertLead,
  origin,
  outbox,
  rings,
  startWorker,
} from "../support/leads.ts";
import { sending, skipPause } from "../operate/support.ts";

async function insertLeads(sql: postgres.Sql, count: number): Promise<void> {
  await sql`
    insert into public.leads (email)
    select 'c' || i || '@example.test' from generate_series(1, ${count}::int) i`;
}

/** Settles a whole claim: all retried after a halt, or all done. */
async function settleRun(
  sql: postgres.Sql,
  taken: Claimed,
  halted: string | null,
  answered = halted === null,
): Promise<void> {
  const outcomes = taken.items.map((item) =>
    halted
      ? { lead_id: item.lead_id, result: "retry", delay_ms: 900_000, error_code: halted }
      : { lead_id: item.lead_id, result: "done" }
  );
  await sql`select mautic.settle(
    ${origin}, ${taken.lease_token}, ${sql.json(outcomes)}, ${halted}, ${answered})`;
}

/** Lets runs halt until the circuit is open. */
async function openCircuit(sql: postgres.Sql): Promise<string> {
  const worker = await startWorker(sql);
  for (let run = 0; run < 3; run++) {
    await settleRun(sql, await claim(sql, worker, { limit: 1 }), "unavailable");
  }
  return worker;
}

Deno.test("the circuit opens after three halted runs in a row, and not before", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 10);
  const worker = await startWorker(db.sql);
  const halts = ["unavailable", "ambiguous", null, "unavailable", "server_failed", "unavailable"];
  const opened: boolean[] = [];
  for (const halted of halts) {
    await settleRun(db.sql, await claim(db.sql, worker, { limit: 1 }), halted);
    opened.push((await sending(db.sql)).opened);
  }
  assert.deepEqual(opened, [false, false, false, false, false, true]);
});

Deno.test("Mautic's rate limit, and batches that ask nothing of Mautic, do not touch the circuit", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 10);
  const worker = await startWorker(db.sql);
  for (let run = 0; run < 5; run++) {
    await settleRun(db.sql, await claim(db.sql, worker, { limit: 1 }), "rate_limited");
  }
  assert.equal((await sending(db.sql)).halts, 0);
  await settleRun(db.sql, await claim(db.sql, worker, { limit: 1 }), "unavailable");
  await settleRun(db.sql, await claim(db.sql, worker, { limit: 1 }), null, false);
  assert.equal((await sending(db.sql)).halts, 1);
});

Deno.test("a probe that takes all that is due says that nothing more is: nobody is called for nothing", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 3);
  const worker = await openCircuit(db.sql);
  await skipPause(db.sql);
  const probe = await claim(db.sql, worker);
  assert.equal(probe.items.length, 3);
  assert.equal(probe.more, false);
});

Deno.test("while it is open claims hand out nothing and nobody rings", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 10);
  await openCircuit(db.sql);
  await db.sql`delete from mautic.worker`;
  await db.sql`truncate net.http_request_queue`;
  await insertLead(db.sql, "fresh@example.test");
  assert.deepEqual([...await db.sql`select mautic.sweep()`], [{ sweep: "open" }]);
  assert.equal(await rings(db.sql), 0);
  const taken = await claim(db.sql, await startWorker(db.sql));
  assert.deepEqual([taken.state, taken.items], ["open", []]);
  await db.sql`delete from mautic.worker`;
  await skipPause(db.sql);
  assert.deepEqual([...await db.sql`select mautic.sweep()`], [{ sweep: "rang" }]);
});

Deno.test("one worker at a time probes, with a small batch", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 60);
  const first = await openCircuit(db.sql);
  await skipPause(db.sql);
  const probe = await claim(db.sql, first);
  assert.equal(probe.items.length, 5);
  assert.equal((await claim(db.sql, await startWorker(db.sql))).state, "open");
  await db.sql`update mautic.sending set prober_until = mautic.clock()`;
  const next = await claim(db.sql, await startWorker(db.sql));
  assert.equal(next.items.length, 5, "a prober that died is succeeded");
});

Deno.test("pauses between probes grow to half a minute, and settings bound them", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 60);
  const worker = await openCircuit(db.sql);
  const pauses = [(await sending(db.sql)).pause_seconds];
  for (let probe = 0; probe < 4; probe++) {
    await skipPause(db.sql);
    await settleRun(db.sql, await claim(db.sql, worker), "unavailable");
    pauses.push((await sending(db.sql)).pause_seconds);
  }
  assert.deepEqual(pauses, [5, 10, 20, 30, 30]);
  await db.sql`select mautic.set('circuit_longest_pause_seconds', '7')`;
  await skipPause(db.sql);
  await settleRun(db.sql, await claim(db.sql, worker), "unavailable");
  assert.equal((await sending(db.sql)).pause_seconds, 7);
});

Deno.test("a probe takes what waits, and when it gets through everything that waited is due", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 12);
  const worker = await startWorker(db.sql);
  await settleRun(db.sql, await claim(db.sql, worker, { limit: 3 }), "unavailable");
  await settleRun(db.sql, await claim(db.sql, worker, { limit: 3 }), "unavailable");
  await settleRun(db.sql, await claim(db.sql, worker, { limit: 6 }), "unavailable");
  assert.deepEqual([...await db.sql`select mautic.has_work()`], [{ has_work: false }]);
  await skipPause(db.sql);
  assert.deepEqual([...await db.sql`select mautic.has_work()`], [{ has_work: true }]);
  const probe = await claim(db.sql, worker);
  assert.equal(probe.items.length, 5);
  await settleRun(db.sql, probe, null);
  assert.deepEqual(await sending(db.sql), {
    paused: false,
    halts: 0,
    opened: false,
    probes: 0,
    pause_seconds: null,
  });
  assert.equal((await claim(db.sql, worker)).items.length, 7);
});

Deno.test("closing cuts short neither a grace nor what Mautic asked for", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 3);
  const worker = await startWorker(db.sql);
  await db.sql`select mautic.set('circuit_after_halts', '1')`;
  const taken = await claim(db.sql, worker);
  const [grace, limited, plain] = taken.items.map((item) => item.lead_id);
  const outcomes = [
    { lead_id: grace!, result: "ambiguous", delay_ms: 65_000, error_code: "ambiguous" },
    { lead_id: limited!, result: "retry", delay_ms: 65_000, error_code: "rate_limited" },
    { lead_id: plain!, result: "retry", delay_ms: 65_000, error_code: "unavailable" },
  ];
  await db.sql`select mautic.settle(
    ${origin}, ${taken.lease_token}, ${db.sql.json(outcomes)}, 'ambiguous', true)`;
  await skipPause(db.sql);
  const probe = await claim(db.sql, worker);
  assert.deepEqual(probe.items.map((item) => item.lead_id), [plain]);
  await settleRun(db.sql, probe, null);
  assert.equal((await sending(db.sql)).opened, false);
  assert.deepEqual((await claim(db.sql, worker)).items, []);
});

Deno.test("another Mautic starts with a closed circuit", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 10);
  const worker = await openCircuit(db.sql);
  assert.equal((await claim(db.sql, worker)).state, "open");
  const elsewhere = await claim(db.sql, worker, { at: "https://other.example.test" });
  assert.equal(elsewhere.state, "claimed");
});

Deno.test("a long outage spends few attempts, and all arrives as soon as Mautic is back", async () => {
  await using sync = await startSync();
  await insertLeads(sync.sql, 200);
  await sync.mautic.setDown(true);
  for (let probe = 0; probe < 12; probe++) {
    await sync.drain();
    await skipPause(sync.sql);
  }
  assert.equal((await sending(sync.sql)).opened, true);
  const attempts = (await outbox(sync.sql)).reduce((sum, row) => sum + row.attempts, 0);
  assert.ok(attempts <= 3 * 50 + 10 * 5, `${attempts} attempts into an outage`);
  await sync.mautic.setDown(false);
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 200, "in the first run that got through");
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal((await sending(sync.sql)).opened, false);
});

Deno.test("while it is open a direct call is answered at once; the next due one is the probe", async () => {
  await using sync = await startSync();
  const upsert = {
    action: "upsert_contact",
    payload: { id: "1", contact: { email: "direct@example.test" } },
  };
  await insertLeads(sync.sql, 200);
  await sync.mautic.setDown(true);
  for (let run = 0; run < 3; run++) await sync.drain();
  await sync.mautic.setDown(false);
  const before = sync.mautic.requests.length;
  const refused = await sync.call(upsert);
  assert.deepEqual([refused.status, refused.answer.error?.code], [503, "unavailable"]);
  assert.equal(sync.mautic.requests.length, before);
  await skipPause(sync.sql);
  assert.equal((await sync.call(upsert)).status, 200);
  assert.equal((await sending(sync.sql)).opened, false);
});

Deno.test("a probe wakes whom nobody has tried, however long others have waited", async () => {
  await using db = await testDatabase();
  await insertLeads(db.sql, 8);
  const worker = await openCircuit(db.sql);
  await db.sql`select mautic.fold(100)`;
  await db.sql`
    update mautic.outbox set state = 'waiting', attempts = 4, not_before = now() + interval '1 minute'`;
  const fresh = await insertLead(db.sql, "fresh@example.test");
  await db.sql`select mautic.fold(100)`;
  await db.sql`
    update mautic.outbox set state = 'waiting', not_before = now() + interval '15 minutes'
    where lead_id = ${fresh}`;
  await skipPause(db.sql);
  const { items } = await claim(db.sql, worker);
  assert.equal(items.length, 5);
  assert.ok(items.some(({ lead_id }) => lead_id === fresh));
});
