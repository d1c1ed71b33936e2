import { startFaultStack } from "./fault_stack.ts";
import { assertFinalState } from "./final_state.ts";
import type { Fate } from "./line.ts";
import { chance } from "./moments.ts";
import { slowBatches } from "./slow_batches.ts";
import { createWriter } from "./writer.ts";

Deno.test("mautic-sync killed at random moments while leads are written loses and doubles nothing", async () => {
  const random = chance("kill mautic-sync");
  await using faults = await startFaultStack({ mautic: { latency: slowBatches() } });
  const { stack, traffic } = faults;
  const writer = createWriter(stack.sql, random, "k");
  const writing = writer.writeUntilTold(() => traffic.after(random.between(1, 20)));
  for (let kills = 0; kills < 7; kills++) {
    await traffic.after(random.between(1, 60));
    await stack.killFunction("mautic-sync");
  }
  writer.isOver = true;
  await writing;
  await assertFinalState(faults, writer);
});

/** What the function was about to do, or had just asked for, and what becomes of its request. */
const moments: { line: "mauticLine" | "dataLine"; match: RegExp; fate: Fate }[] = [
  { line: "mauticLine", match: /oauth/, fate: "pass" },
  { line: "dataLine", match: /rpc\/claim$/, fate: "pass" },
  // Still in the network when its sender dies.
  { line: "mauticLine", match: /POST \/api\/contacts\/batch\/new/, fate: "pass" },
  { line: "mauticLine", match: /POST \/api\/contacts\/batch\/new/, fate: "cut_before" },
  { line: "dataLine", match: /rpc\/settle/, fate: "cut_before" },
  { line: "dataLine", match: /rpc\/settle/, fate: "pass" },
  { line: "mauticLine", match: /dnc\/email\/add/, fate: "pass" },
  { line: "dataLine", match: /rpc\/intend_enrollment/, fate: "pass" },
  { line: "mauticLine", match: /campaigns\/\d+\/contact/, fate: "pass" },
  { line: "dataLine", match: /rpc\/confirm_enrollment/, fate: "cut_before" },
  { line: "dataLine", match: /rpc\/leave_worker/, fate: "pass" },
];

Deno.test("mautic-sync killed at each step of its work leaves it to be finished", async () => {
  await using faults = await startFaultStack();
  const { stack } = faults;
  const everEligible = new Set<string>();
  for (const [index, { line, match, fate }] of moments.entries()) {
    const meeting = faults[line].meet({
      match,
      fate: async () => {
        await stack.killFunction("mautic-sync");
        return fate;
      },
    });
    const leads = [
      { email: `vip${index}@example.test`, marketing_opt_in: true, ml_score: 90 },
      { email: `no${index}@example.test`, marketing_opt_in: false, ml_score: 90 },
      { email: `plain${index}@example.test`, marketing_opt_in: null, ml_score: 5 },
    ].map((lead) => ({ ...lead, crm_status: "qualified", first_name: "Before" }));
    everEligible.add(`vip${index}@example.test`);
    await stack.sql`insert into public.leads ${stack.sql(leads)}`;
    await faults.holds(`a request like ${match}`, () => Promise.resolve(meeting.hits() === 1));
    // The next attempt must bring what the lead is by then.
    await stack.sql`update public.leads set first_name = 'After' where email like ${`%${index}@%`}`;
    // Else leads of this moment would join a batch of the next, and other requests would be made.
    await faults.drained();
  }
  await assertFinalState(faults, { everEligible });
});
