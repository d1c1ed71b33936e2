/** What has to be true once all is quiet, whatever happened before. */
import assert from "node:assert/strict";
import { z } from "zod";
import type { Contact } from "../../local/mautic/types.ts";
import { consentComment } from "shared/consent/entry.ts";
import type { FaultStack } from "./fault_stack.ts";

export interface Expected {
  /** Dead letters: the reason by address. None when left out. */
  dead?: Record<string, string>;
  /** Who could be enrolled at some time: nobody else is. */
  everEligible: ReadonlySet<string>;
  /** Who denied consent at some time: should it be unknown since, that changes nothing. None when left out. */
  everDenied?: ReadonlySet<string>;
  /** Who has to be among the leads. */
  committed?: ReadonlySet<string>;
}

const leadRow = z.object({
  lead_id: z.string(),
  email: z.string(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  phone: z.string().nullable(),
  company: z.string().nullable(),
  crm_status: z.string().nullable(),
  marketing_opt_in: z.boolean().nullable(),
  ml_score: z.coerce.number().nullable(),
  utm_source: z.string().nullable(),
  email_status: z.string().nullable(),
  contact_ids: z.array(z.coerce.number()),
  activities: z.array(z.string()),
  enrolment: z.string().nullable(),
});
type LeadRow = z.infer<typeof leadRow>;

/**
 * Waits until the outbox is drained and workers and reconciliations have gone, then looks at everything: each lead
 * in Mautic exactly once with its newest values, consent and opt-outs respected on both sides,
 * enrolments once, nothing left leased. The leads of these tests have one address each.
 */
export async function assertFinalState(faults: FaultStack, expected: Expected): Promise<void> {
  const { stack } = faults;
  await faults.drained();
  await faults.withoutWorker();
  await faults.holds("the reconciliation to end", async () => {
    const rows = await stack.sql`
      select from mautic.reconcile_cursor where leased_until > mautic.clock()`;
    return rows.length === 0;
  });
  const leads = await readLeads(faults);
  const dead = expected.dead ?? {};
  const present = new Set(leads.map(({ email }) => email));
  const problems = [
    ...[...expected.committed ?? []].filter((email) => !present.has(email))
      .map((email) => `${email} was committed and is no lead`),
    ...await leftOvers(faults, dead),
    ...leads.flatMap((lead) => lead.email in dead ? [] : ofLead(faults, lead, expected)),
    ...ofMautic(faults, leads.length - Object.keys(dead).length),
  ];
  assert.deepEqual(problems.slice(0, 20), [], `${problems.length} problems, the first are`);
}

async function readLeads({ stack }: FaultStack): Promise<LeadRow[]> {
  const rows = await stack.sql`
    select l.id::text as lead_id, l.email, l.first_name, l.last_name, l.phone, l.company, l.crm_status,
      l.marketing_opt_in, l.ml_score, l.utm_source, l.email_status,
      array(select k.contact_id from mautic.contact_link k where k.lead_id = l.id::text) as contact_ids,
      array(select a.type from public.lead_activity a where a.lead_id = l.id::text order by a.id) as activities,
      (
        select e.state from mautic.enrollment e join mautic.contact_link k using (origin, contact_id)
        where k.lead_id = l.id::text
      ) as enrolment
    from public.leads l`;
  return z.array(leadRow).parse([...rows]);
}

async function leftOvers(
  { stack }: FaultStack,
  dead: Record<string, string>,
): Promise<string[]> {
  const letters = await stack.sql<{ email: string; error_code: string }[]>`
    select l.email, o.error_code from mautic.outbox o join public.leads l on l.id::text = o.lead_id
    where o.state = 'dead' order by 1`;
  const found = Object.fromEntries(letters.map((row) => [row.email, row.error_code]));
  assert.deepEqual(found, dead, "the dead letters and their reasons");
  const [row] = await stack.sql`
    select
      (select count(*)::int from mautic.outbox where person_keys is not null) as persons_held,
      (select count(*)::int from mautic.webhook_event where state in ('stored', 'failed')) as events_unapplied,
      (select count(*)::int from mautic.sending where opened_at is not null) as circuits_open`;
  return Object.entries(row ?? {}).filter(([, count]) => count !== 0)
    .map(([what, count]) => `${count} ${what}`);
}

function ofLead(
  { stack }: FaultStack,
  lead: LeadRow,
  { everEligible, everDenied }: Expected,
): string[] {
  const contacts = [...stack.mautic.contacts.values()].filter((contact) =>
    text(contact, "email").toLowerCase() === lead.email
  );
  const [contact] = contacts;
  if (contact === undefined || contacts.length > 1) {
    return [`${lead.email} has ${contacts.length} contacts`];
  }
  const problems: string[] = [];
  const expect = (what: string, held: unknown, wanted: unknown) => {
    if (held === wanted) return;
    problems.push(
      `${lead.email}: ${what} is ${JSON.stringify(held)}, not ${JSON.stringify(wanted)}`,
    );
  };
  expect("the linked contact", lead.contact_ids.join(), String(contact.id));
  expect("firstname", text(contact, "firstname"), lead.first_name ?? "");
  expect("lastname", text(contact, "lastname"), lead.last_name ?? "");
  expect("phone", text(contact, "phone"), lead.phone ?? "");
  expect("company", text(contact, "company"), lead.company ?? "");
  expect("hki_status", text(contact, "hki_status"), lead.crm_status ?? "");
  expect("hki_score", Number(contact.values.get("hki_score") ?? 0), lead.ml_score ?? 0);
  expect("hki_lead_id", text(contact, "hki_lead_id"), lead.lead_id);
  expect("hki_utm_source", text(contact, "hki_utm_source"), lead.utm_source ?? "");

  const entries = contact.doNotContact.filter(({ channel }) => channel === "email");
  const ours = entries.filter(({ comments }) => comments === consentComment);
  const theirs = entries.filter((entry) => !ours.includes(entry));
  // The denial may have been sent before consent became unknown, or never.
  if (lead.marketing_opt_in !== null || !everDenied?.has(lead.email)) {
    expect(
      "our do-not-contact entries",
      ours.length,
      lead.marketing_opt_in === false && theirs.length === 0 ? 1 : 0,
    );
  }
  expect("email_status", lead.email_status ?? "subscribed", statusOf(theirs[0]));
  const changes = lead.activities.filter((type) => type !== "contact_merged");
  expect("repeated activities", changes.length, new Set(changes).size);

  const rotations = stack.mautic.campaignMembers(stack.mautic.campaignId)
    .filter(({ contactId }) => contactId === contact.id).map(({ rotation }) => rotation);
  const isEligible = lead.marketing_opt_in === true && (lead.ml_score ?? 0) >= 70 &&
    lead.crm_status === "qualified" && entries.length === 0;
  if (isEligible || rotations.length > 0) expect("starts of the campaign", rotations.join(), "1");
  if (isEligible) expect("the enrolment on record", lead.enrolment, "confirmed");
  // Killed before the confirmation, and not eligible since: the next time membership is read first.
  if (rotations.length > 0) expect("an enrolment on record", lead.enrolment !== null, true);
  if (rotations.length > 0 && !everEligible.has(lead.email)) {
    problems.push(`${lead.email} was enrolled`);
  }
  return problems;
}

/** What the product promises of the entry that others than we set. */
function statusOf(entry: Contact["doNotContact"][number] | undefined): string {
  if (entry === undefined) return "subscribed";
  if (entry.reason === 2) return "bounced";
  return entry.reason === 1 && /spam/i.test(entry.comments) ? "complained" : "unsubscribed";
}

function ofMautic({ stack: { mautic } }: FaultStack, leads: number): string[] {
  const overlaps = mautic.overlappingWrites().map(({ person, first, second }) =>
    `two writes at once for ${person}: ${first.path} and ${second.path}`
  );
  const problems = [
    ...mautic.duplicateEmails().map((email) => `two contacts have ${email}`),
    ...overlaps,
  ];
  if (mautic.contacts.size !== leads) {
    problems.push(`Mautic has ${mautic.contacts.size} contacts, there are ${leads} leads`);
  }
  if (mautic.contactsCreated() !== leads) {
    problems.push(`${mautic.contactsCreated()} contacts were created for ${leads} leads`);
  }
  return problems;
}

function text(contact: Contact, alias: string): string {
  return String(contact.values.get(alias) ?? "");
}
