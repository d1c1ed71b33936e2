import assert from "node:assert/strict";
import type { Stack } from "../../local/stack.ts";
import { type FaultStack, startFaultStack } from "./fault_stack.ts";
import { assertFinalState } from "./final_state.ts";
import { chance } from "./moments.ts";
import { slowBatches } from "./slow_batches.ts";
import { createWriter } from "./writer.ts";

/** kill -9 of one backend: Postgres ends all others, recovers, and empties what is unlogged. */
async function killBackend(faults: FaultStack): Promise<void> {
  const { stack } = faults;
  const [victim] = await stack.admin<{ pid: number }[]>`
    select pid from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()
    order by state = 'active' desc, query_start desc limit 1`;
  assert.ok(victim);
  Deno.kill(victim.pid, "SIGKILL");
  await faults.holds("Postgres to recover", async () => {
    const [other] = await stack.admin<{ gone: boolean }[]>`
      select not exists (select from pg_stat_activity where pid = ${victim.pid}) as gone`;
    return other?.gone === true;
  });
}

async function unloggedRows({ admin }: Stack): Promise<number> {
  const [row] = await admin<{ n: number }[]>`select count(*)::int as n from net._http_response`;
  return row?.n ?? 0;
}

Deno.test("Postgres crashed again and again while leads are written and sent keeps every committed lead", async () => {
  const random = chance("crash Postgres");
  await using faults = await startFaultStack({ mautic: { latency: slowBatches() } });
  const { stack, traffic } = faults;
  const writer = createWriter(stack.sql, random, "p");
  const writing = writer.writeUntilTold(() => traffic.after(random.between(1, 15)));
  for (let crashes = 0; crashes < 4; crashes++) {
    await traffic.after(random.between(20, 80));
    if (crashes % 2 === 0) await killBackend(faults);
    else await stack.restartPostgres();
  }
  writer.isOver = true;
  await writing;
  await assertFinalState(faults, writer);
});

Deno.test("a ring that a crash of Postgres took along is made good, and opt-outs of that time come back", async () => {
  await using faults = await startFaultStack();
  const { stack } = faults;
  const people = ["unsub", "bounce", "spam", "stays"].map((name) => `${name}@example.test`);
  await stack.sql`insert into public.leads ${stack.sql(people.map((email) => ({ email })))}`;
  await faults.drained();
  await faults.holds("the ring's answer", async () => await unloggedRows(stack) > 0);

  stack.pgNet.pause();
  stack.pgCron.pause();
  await stack.sql`insert into public.leads (email) values ('rung@example.test')`;
  const optOut = faults.dataLine.meet({
    match: /rpc\/receive_delivery/,
    fate: async () => {
      await killBackend(faults);
      return "pass";
    },
  });
  await stack.mautic.unsubscribe("unsub@example.test");
  assert.equal(optOut.hits(), 1);
  assert.equal(await unloggedRows(stack), 0, "unlogged tables are empty after a crash");
  // The webhook comes while there is no Postgres at all: twice tried, then lost.
  const lost = faults.dataLine.meet({
    match: /rpc\/receive_delivery/,
    fate: "cut_before",
    times: 4,
  });
  await stack.mautic.bounce("bounce@example.test");
  await stack.mautic.complain("spam@example.test");
  assert.equal(lost.hits(), 4);
  stack.pgNet.resume();
  stack.pgCron.resume();
  await stack.pgCron.tickNow("mautic-reconcile");
  await faults.holds("the opt-outs on the lead rows", async () => {
    const rows = await stack.sql`select from public.leads where email_status is not null`;
    return rows.length === 3;
  });
  await assertFinalState(faults, { everEligible: new Set() });
});
