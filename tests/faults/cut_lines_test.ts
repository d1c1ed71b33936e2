import assert from "node:assert/strict";
import { startFaultStack } from "./fault_stack.ts";
import { assertFinalState } from "./final_state.ts";
import type { Fate } from "./line.ts";

/** Requests to Mautic, and what becomes of the first of each. */
const toMautic: { match: RegExp; fate: Fate; leads?: number }[] = [
  { match: /oauth/, fate: "cut_after" },
  { match: /contacts\/batch\/new/, fate: "cut_before" },
  { match: /contacts\/batch\/new/, fate: "cut_after" },
  { match: /contacts\/batch\/new/, fate: "cut_within" },
  { match: /contacts\/new/, fate: "no_answer", leads: 1 },
  { match: /contacts\/batch\/new/, fate: "half_open" },
  { match: /contacts\/batch\/new/, fate: { dripMs: 20 } },
  { match: /dnc\/email\/add/, fate: "cut_after" },
  { match: /campaigns\/\d+\/contact/, fate: "cut_within" },
  { match: /campaigns\/\d+\/contact/, fate: "no_answer" },
  // After the caller has given up, but within the grace. The last, so that no other fault delays the
  // attempt after it.
  { match: /contacts\/batch\/new/, fate: { lateMs: 4_000 } },
];

Deno.test("requests to Mautic that lose their way or their answer double no contact and lose no lead", async () => {
  await using faults = await startFaultStack();
  const { stack, mauticLine } = faults;
  // Each fault by itself: not the circuit is looked at here.
  await stack.sql`select mautic.set('circuit_after_halts', '99')`;
  const everEligible = new Set<string>();
  for (const [index, { match, fate, leads: count }] of toMautic.entries()) {
    const meeting = mauticLine.meet({ match, fate });
    const leads = [
      { email: `vip${index}@example.test`, marketing_opt_in: true, ml_score: 90 },
      { email: `no${index}@example.test`, marketing_opt_in: false, ml_score: 90 },
      { email: `plain${index}@example.test`, marketing_opt_in: null, ml_score: 5 },
    ].slice(0, count).map((lead) => ({ ...lead, crm_status: "qualified", first_name: "Before" }));
    everEligible.add(`vip${index}@example.test`);
    await stack.sql`insert into public.leads ${stack.sql(leads)}`;
    await faults.holds(`a request like ${match}`, () => Promise.resolve(meeting.hits() === 1));
    await stack.sql`update public.leads set first_name = 'After' where email like ${`%${index}@%`}`;
  }
  await assertFinalState(faults, { everEligible });
});

const toDataApi: { match: RegExp; fate: Fate }[] = [
  { match: /rpc\/start_worker/, fate: "cut_after" },
  { match: /rpc\/claim$/, fate: "cut_before" },
  { match: /rpc\/claim$/, fate: "cut_after" },
  { match: /rpc\/settle/, fate: "cut_before" },
  { match: /rpc\/settle/, fate: "cut_within" },
  { match: /rpc\/intend_enrollment/, fate: "cut_after" },
  { match: /rpc\/confirm_enrollment/, fate: "cut_before" },
  { match: /rpc\/acquire_token/, fate: "cut_after" },
  { match: /rpc\/leave_worker/, fate: "cut_after" },
  { match: /rpc\/leave_worker/, fate: "cut_before" },
];

Deno.test("calls to the Data API that lose their way or their answer leave nothing undone and nothing leased", async () => {
  await using faults = await startFaultStack();
  const { stack, dataLine } = faults;
  const everEligible = new Set<string>();
  for (const [index, { match, fate }] of toDataApi.entries()) {
    await faults.withoutWorker();
    // A new process has no token.
    if (match.test("rpc/acquire_token")) await stack.killFunction("mautic-sync");
    const meeting = dataLine.meet({ match, fate });
    const leads = [
      { email: `vip${index}@example.test`, marketing_opt_in: true, ml_score: 90 },
      { email: `plain${index}@example.test`, marketing_opt_in: null, ml_score: 5 },
    ].map((lead) => ({ ...lead, crm_status: "qualified" }));
    everEligible.add(`vip${index}@example.test`);
    await stack.sql`insert into public.leads ${stack.sql(leads)}`;
    await faults.holds(`a call like ${match}`, () => Promise.resolve(meeting.hits() === 1));
  }
  await assertFinalState(faults, { everEligible });
});

Deno.test("a worker that could not renew its lease settles in vain what another has sent anew", async () => {
  await using faults = await startFaultStack();
  const { stack, dataLine, mauticLine } = faults;
  dataLine.meet({ match: /rpc\/renew_worker/, fate: "half_open" });
  // The first worker's call is on its way until the second, whose lease it is by then, is sending.
  const second = mauticLine.meet({
    match: /contacts\/batch\/edit/,
    fate: async () => {
      await stack.functionLogged("mautic-sync", (line) => line.includes("batch_settled"));
      return "pass";
    },
  });
  const first = dataLine.meet({
    match: /rpc\/settle/,
    fate: async () => {
      await second.met;
      return "pass";
    },
  });
  await stack.sql`
    insert into public.leads (email, first_name)
    select 'slow' || i || '@example.test', 'Before' from generate_series(1, 5) i`;
  await first.met;
  await stack.sql`update public.leads set first_name = 'After'`;
  await second.met;
  await assertFinalState(faults, { everEligible: new Set() });
  // What the late one had to say is not believed: this edit is a change for Mautic.
  await stack.sql`update public.leads set first_name = 'Before'`;
  await assertFinalState(faults, { everEligible: new Set() });
});

Deno.test("Mautic out of reach for a while is waited for, and all goes on when it is back", async () => {
  await using faults = await startFaultStack();
  const { stack, mauticLine } = faults;
  await mauticLine.tear();
  await stack.sql`
    insert into public.leads (email) select 'out' || i || '@example.test' from generate_series(1, 30) i`;
  await faults.holds("the circuit to open", async () => {
    const [row] = await stack.sql<{ circuit: string }[]>`select circuit from mautic.status`;
    return row?.circuit === "open";
  });
  assert.equal(stack.mautic.contacts.size, 0);
  await mauticLine.mend();
  await assertFinalState(faults, { everEligible: new Set() });
});
