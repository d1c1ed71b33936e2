import assert from "node:assert/strict";
import { systemClock } from "shared/runtime/clock.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { drained, holds } from "./support.ts";

interface LeadState {
  email_status: string | null;
  activities: string[];
}

async function state(stack: Stack, email: string): Promise<LeadState> {
  const [row] = await stack.sql<LeadState[]>`
    select l.email_status,
      array(select a.type from public.lead_activity a where a.lead_id = l.id::text order by a.id) as activities
    from public.leads l where l.email = ${email}`;
  return row ?? { email_status: null, activities: [] };
}

Deno.test("what people do in Mautic's mails shows on the lead row and in its activity", async () => {
  const ahead = { ms: 0 };
  const clock = { ...systemClock, now: () => Date.now() + ahead.ms };
  await using stack = await startStack({ mautic: { clock } });
  const names = ["unsub", "bounce", "spam", "back"];
  for (const name of names) {
    await stack.sql`insert into public.leads (email) values (${`${name}@example.test`})`;
  }
  await drained(stack);
  await stack.mautic.unsubscribe("unsub@example.test");
  await stack.mautic.bounce("bounce@example.test", "Unknown user or server");
  await stack.mautic.complain("spam@example.test");
  await stack.mautic.unsubscribe("back@example.test");
  // Mautic's times are whole seconds, and of two in one second the stricter wins.
  ahead.ms = 1_000;
  await stack.mautic.resubscribe("back@example.test");

  const statuses = await Promise.all(
    names.map(async (name) => (await state(stack, `${name}@example.test`)).email_status),
  );
  assert.deepEqual(statuses, ["unsubscribed", "bounced", "complained", "subscribed"]);
  assert.equal((await state(stack, "back@example.test")).activities.length, 2);
  assert.equal((await state(stack, "unsub@example.test")).activities.length, 1);
});

Deno.test("a delivery in the middle of our own create call ends right, and calls nobody back", async () => {
  await using stack = await startStack();
  await stack
    .sql`insert into public.leads (email, marketing_opt_in) values ('echo@example.test', false)`;
  await drained(stack);
  // Our own do-not-contact entry set off a webhook while the API call was open.
  assert.ok(stack.mautic.deliveries.length > 0);
  assert.ok(stack.mautic.deliveries.every((delivery) => delivery.status === 200));
  assert.equal((await state(stack, "echo@example.test")).email_status, null);
  const writes = stack.mautic.requests.filter((request) =>
    request.method !== "GET" && request.path.startsWith("/api/")
  );
  assert.equal(writes.length, 2);
  await stack.mautic.unsubscribe("echo@example.test");
  await drained(stack);
  assert.equal(
    (await state(stack, "echo@example.test")).email_status,
    null,
    "the first entry stands in Mautic",
  );
});

Deno.test("what happened while the webhook was off is on the lead rows after one reconciliation", async () => {
  await using stack = await startStack();
  const names = ["a", "b", "c", "d"];
  for (const name of names) {
    await stack.sql`insert into public.leads (email) values (${`${name}@example.test`})`;
  }
  await drained(stack);
  await stack.mautic.unsubscribe("d@example.test");
  assert.equal((await state(stack, "d@example.test")).email_status, "unsubscribed");

  for (const hook of stack.mautic.hooks.values()) hook.isPublished = false;
  await stack.mautic.unsubscribe("a@example.test");
  await stack.mautic.bounce("b@example.test", "Mailbox is gone");
  await stack.mautic.complain("c@example.test");
  await stack.mautic.resubscribe("d@example.test");
  await stack.pgCron.tickNow("mautic-reconcile");
  await holds(
    stack,
    async () => (await state(stack, "d@example.test")).email_status !== "unsubscribed",
  );
  const statuses = await Promise.all(
    names.map(async (name) => (await state(stack, `${name}@example.test`)).email_status),
  );
  assert.deepEqual(statuses, ["unsubscribed", "bounced", "complained", "subscribed"]);
  const [learned] = await stack.sql<{ detail: Record<string, unknown> }[]>`
    select a.detail from public.lead_activity a join public.leads l on l.id::text = a.lead_id
    where l.email = 'a@example.test'`;
  assert.equal(learned?.detail["source"], "reconcile");
});
