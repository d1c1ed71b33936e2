/** What a deployment has to be able to do, seen from the database and from Mautic. */
import assert from "node:assert/strict";
import type { Stack } from "../../local/stack.ts";
import { drained, holds } from "../end_to_end/support.ts";

const email = "vera@example.test";

/** Far above what any step takes; a function that does not work must not hang the gate. */
const patienceMs = 20_000;

/** Inserts a high-value lead, looks for the contact and its enrolment, and then edits the lead. */
export async function mainJob(stack: Stack): Promise<void> {
  await stack.sql`
    insert into public.leads (email, first_name, crm_status, marketing_opt_in, ml_score)
    values (${email}, 'Vera', 'qualified', true, 91)`;
  await patiently(stack, drained(stack));
  const [contact] = stack.mautic.contacts.values();
  assert.ok(contact, `No contact. ${functionLogs(stack)}`);
  assert.equal(contact.values.get("firstname"), "Vera");
  const members = stack.mautic.campaignMembers(stack.mautic.campaignId);
  assert.deepEqual(members.map((member) => member.contactId), [contact.id]);

  await stack.sql`update public.leads set first_name = 'Vera Maria' where email = ${email}`;
  await patiently(stack, drained(stack));
  assert.equal(stack.mautic.contacts.size, 1);
  assert.equal(contact.values.get("firstname"), "Vera Maria");
}

/** After {@link mainJob}: the person unsubscribes in a mail of Mautic's. */
export async function unsubscribing(stack: Stack): Promise<void> {
  await stack.mautic.unsubscribe(email);
  const isOnTheRow = holds(stack, async () => {
    const [lead] = await stack.sql`select email_status from public.leads where email = ${email}`;
    return lead?.email_status === "unsubscribed";
  });
  await patiently(stack, isOnTheRow);
}

/** Waits for `work`; fails with the functions' logs when it takes too long. */
async function patiently(stack: Stack, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const deliveries = stack.mautic.deliveries.map(({ status, body }) => `${status} ${body}`);
    reject(new Error(`Still waiting. ${functionLogs(stack)}\nWebhooks: ${deliveries.join("\n")}`));
  }, patienceMs);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function functionLogs(stack: Stack): string {
  return ["mautic-sync", "mautic-webhook"]
    .map((name) => `${name}: ${stack.functionLog(name).join("\n")}`)
    .join("\n");
}
