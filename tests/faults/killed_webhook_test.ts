import assert from "node:assert/strict";
import { type FaultStack, startFaultStack } from "./fault_stack.ts";
import { assertFinalState } from "./final_state.ts";
import { chance } from "./moments.ts";
import type { Random } from "../simulation/random.ts";

const nobody = { everEligible: new Set<string>() };

async function synced(faults: FaultStack, count: number): Promise<string[]> {
  const emails = Array.from({ length: count }, (_, index) => `w${index}@example.test`);
  await faults.stack.sql`
    insert into public.leads ${faults.stack.sql(emails.map((email) => ({ email })))}`;
  await faults.drained();
  return emails;
}

async function optOut({ stack: { mautic } }: FaultStack, email: string, random: Random) {
  const how = random.pick(["unsubscribe", "bounce", "complain"] as const);
  await mautic[how](email);
}

Deno.test("mautic-webhook killed at random moments misses opt-outs, and a reconciliation finds every one", async () => {
  const random = chance("kill mautic-webhook");
  await using faults = await startFaultStack();
  const { stack, traffic } = faults;
  const people = await synced(faults, 60);

  let isOver = false;
  const killing = (async () => {
    while (!isOver) {
      await traffic.after(random.between(1, 25));
      await stack.killFunction("mautic-webhook");
    }
  })();
  // Somebody clicks while the one before is still being told of.
  const clicking = [people.slice(0, 30), people.slice(30)].map(async (some) => {
    for (const email of some) await optOut(faults, email, random);
  });
  await Promise.all(clicking);
  isOver = true;
  await killing;
  const lost = stack.mautic.deliveries.filter(({ status }) => status !== 200).length;
  assert.ok(lost > 0, "the kills cost no delivery");

  await stack.pgCron.tickNow("mautic-reconcile");
  await faults.holds("all opt-outs on the lead rows", async () => {
    const rows = await stack.sql`select from public.leads where email_status is null`;
    return rows.length === 0;
  });
  await assertFinalState(faults, nobody);
});

Deno.test("deliveries that Mautic repeats, because it could not hear the answer, count once", async () => {
  const random = chance("cut deliveries");
  await using faults = await startFaultStack();
  const { stack, webhookLine, dataLine } = faults;
  stack.mautic.settings.webhookMode = "queue";
  const people = await synced(faults, 40);
  for (const email of people) await optOut(faults, email, random);

  // Ten events a delivery; Mautic keeps those of a connection that broke, and sends them again.
  for (const fate of ["cut_before", "cut_after", "cut_after"] as const) {
    const meeting = webhookLine.meet({ match: /POST/, fate });
    await stack.mautic.flushHookQueue();
    assert.equal(meeting.hits(), 1);
  }
  // Killed once all is stored, before it could say so: this one is not sent again.
  const killed = dataLine.meet({
    match: /receive_delivery/,
    fate: async () => {
      await stack.killFunction("mautic-webhook");
      return "pass";
    },
  });
  await stack.mautic.flushHookQueue();
  assert.equal(killed.hits(), 1);
  await faults.holds("all opt-outs on the lead rows", async () => {
    const rows = await stack.sql`select from public.leads where email_status is null`;
    return rows.length === 0;
  });
  await assertFinalState(faults, nobody);
});
