import assert from "node:assert/strict";
import { realisticLatency } from "../../local/mautic/load.ts";
import { startStack } from "../../local/stack.ts";
import { addresses, drained, holds, sweepEverySecond } from "./support.ts";

/** Waits of minutes made short, so that what they are for can be seen within a test. */
const hasty = {
  MAUTIC_REQUEST_TIMEOUT_MS: "1000",
  MAUTIC_SERVER_TIME_LIMIT_MS: "1000",
  MAUTIC_WORKER_LEASE_MS: "1500",
  MAUTIC_WORKER_LINGER_MS: "200",
};

Deno.test("an insert in SQL rings the function, and its correlation id reaches Mautic", async () => {
  await using stack = await startStack();
  await stack.sql.begin(async (sql) => {
    await sql`select set_config('mautic.correlation_id', 'order-4711', true)`;
    await sql`
      insert into public.leads (email, crm_status, marketing_opt_in, ml_score)
      values ('vip@example.test', 'qualified', true, 90)`;
  });
  await drained(stack);
  const saved = stack.mautic.requests.find((request) => request.path === "/api/contacts/new");
  assert.equal(saved?.correlationId, "order-4711");
  assert.equal(stack.mautic.campaignMembers(stack.mautic.campaignId).length, 1);
  assert.ok(stack.functionLog("mautic-sync").some((line) => line.includes("order-4711")));
  assert.ok(stack.functionLog("mautic-sync").every((line) => !line.includes("vip@example.test")));
});

Deno.test("killing the function again and again while 1,000 leads are in flight loses and doubles none", async () => {
  await using stack = await startStack({
    functionEnv: hasty,
    mautic: { latency: realisticLatency() },
  });
  await stack.sql`
    insert into public.leads (email, first_name, crm_status, marketing_opt_in, ml_score)
    select 'k' || i || '@example.test', 'K' || i, 'qualified', true, case when i % 20 = 0 then 90 else 5 end
    from generate_series(1, 1000) i`;
  await sweepEverySecond(stack);
  for (const done of [20, 150, 300, 301, 500, 700]) {
    await holds(stack, () => Promise.resolve(stack.mautic.contacts.size >= done));
    await stack.killFunction("mautic-sync");
  }
  await drained(stack);
  assert.equal(addresses(stack, /^k/).length, 1000);
  assert.deepEqual(stack.mautic.duplicateEmails(), []);
  const members = stack.mautic.campaignMembers(stack.mautic.campaignId);
  assert.equal(members.length, 50);
  const unlinked = await stack.sql`
    select from public.leads l where not exists (select from mautic.contact_link k where k.lead_id = l.id::text)`;
  assert.equal(unlinked.count, 0);
});
