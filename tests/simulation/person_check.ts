import { z } from "zod";
import type { RequestEntry } from "../../local/mautic/journal.ts";
import { emailEntries, isOurs } from "shared/consent/entry.ts";
import { isMailable } from "shared/consent/email_status.ts";
import { type LeadRow, readLeads } from "./invariants.ts";
import type { World } from "./world.ts";
import { eligible } from "./ledger.ts";

/** What was seen of people while the history went on; times are the scheduler's. */
export interface Seen {
  /** Contacts about which something was done that came after the last look at them. */
  raced: ReadonlySet<number>;
  /** When an enrolment was about to be made: `intend_enrollment` said so. */
  intended: { contactId: number; at: number }[];
  enrolled: { contactId: number; at: number }[];
}

/** Invariants 3 and 4 for each person: opt-outs, consent, enrolment and tags. */
export async function checkPeople(world: World, seen: Seen): Promise<string[]> {
  return [
    ...await checkOptOuts(world, seen),
    ...await checkNewestLeads(world),
    ...await checkEnrollments(world, seen),
  ];
}

/** Nobody's opt-out is gone from Mautic but by their own doing, or a merge. */
async function checkOptOuts(
  { database, mautic, mauticAheadMs, deeds }: World,
  { raced }: Seen,
): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql`select distinct contact_id::int as id from mautic.webhook_event where kind <> 'subscribed'`
  );
  const heardOf = new Set(rows.map((each) => each["id"]));
  const during = (at: number, isMeant: (request: RequestEntry) => boolean) =>
    mautic.requests.some((request) =>
      isMeant(request) && request.startedAt <= at + mauticAheadMs &&
      at + mauticAheadMs <= (request.endedAt ?? Infinity)
    );
  /** Mautic adds ours over a bounce that comes while it is being added. */
  const isOverrun = (contactId: number, at: number) =>
    during(at, ({ path, body }) =>
      path === `/api/contacts/${contactId}/dnc/email/add` ||
      path === "/api/contacts/batch/edit" && JSON.stringify(body).includes("doNotContact"));
  /** What came while ours was lifted is gone where no webhook told of it, and ours is back. */
  const isReplaced = (contactId: number, at: number) =>
    !heardOf.has(contactId) &&
    during(at, ({ path }) => path === `/api/contacts/${contactId}/dnc/email/remove`);
  return [...deeds.optedOut].flatMap(([contactId, at]) => {
    const contact = mautic.contacts.get(contactId);
    if (!contact || deeds.removed.has(contactId) || raced.has(contactId)) return [];
    const entries = emailEntries(contact.doNotContact);
    if (entries.some((each) => !isOurs(each)) || isOverrun(contactId, at)) return [];
    if (entries.length > 0 && isReplaced(contactId, at)) return [];
    return [`contact ${contactId} opted out at ${at} and nothing in Mautic tells of it`];
  });
}

/** Did somebody else speak for this contact after its newest lead changed: a call, a lead that is gone? */
function isSpokenFor(
  { deeds, ledger }: World,
  { contactId, newest, group, live }: {
    contactId: number;
    newest: LeadRow;
    group: LeadRow[];
    live: ReadonlySet<string>;
  },
): boolean {
  const { from } = ledger.newestChange(newest.lead_id);
  const isLater = (leadId: string) => ledger.newestChange(leadId).until >= from;
  const ids = new Set(group.map((each) => each.lead_id));
  return ledger.links.some((each) =>
    each.contact_id === contactId && !ids.has(each.lead_id) && isLater(each.lead_id)
  ) ||
    ledger.versions.some((each) =>
      each.address === newest.address && !live.has(each.lead_id) && isLater(each.lead_id)
    ) ||
    deeds.direct.some((call) =>
      (ids.has(call.leadId) || call.address === newest.address) && call.endedAt >= from
    );
}

const statusRow = z.object({ id: z.string(), email_status: z.string().nullable() });

/** What the newest lead of a contact says of consent and enrolment holds in Mautic. */
async function checkNewestLeads(world: World): Promise<string[]> {
  const { database, mautic, deeds, ledger } = world;
  const leads = await readLeads(database);
  const rows = await database.step((sql) => sql`select id::text, email_status from public.leads`);
  const statuses = new Map(
    z.array(statusRow).parse([...rows]).map((each) => [each.id, each.email_status]),
  );
  // What Mautic told of a person stands with the rows of the second table, too.
  const told = await database.step((sql) =>
    sql`
    select distinct k.contact_id::int as id
    from mautic.lead_state s join mautic.contact_link k on k.lead_id = s.lead_id
    where s.source = 'signup' and s.email_status <> 'subscribed'`
  );
  const unmailable = new Set(told.map((each) => each["id"]));
  const members = new Set(mautic.campaignMembers(mautic.campaignId).map((each) => each.contactId));
  const live = new Set(leads.map((each) => each.lead_id));
  const settled = leads.filter((each) => each.state === null && each.contact_id !== null);
  const groups = Map.groupBy(settled, (each) => each.contact_id ?? 0);
  const changedAt = ({ lead_id }: LeadRow) => ledger.newestChange(lead_id).until;
  const problems: string[] = [];
  for (const [contactId, group] of groups) {
    const contact = mautic.contacts.get(contactId);
    if (!contact || deeds.removed.has(contactId)) continue;
    const newest = group.reduce((a, b) => changedAt(b) > changedAt(a) ? b : a);
    if (isSpokenFor(world, { contactId, newest, group, live })) continue;

    const { from } = ledger.newestChange(newest.lead_id);
    const entries = emailEntries(contact.doNotContact);
    const hasComeBack = deeds.resubscribed.some((each) =>
      each.contactId === contactId && each.at >= from
    );
    const isFree = group.every((each) => isMailable(statuses.get(each.lead_id) ?? null)) &&
      !unmailable.has(contactId);
    const given = newest.payload.consent;
    const whose = `contact ${contactId}, by its newest lead ${newest.lead_id} (since ${from}),`;
    if (given === false && entries.length === 0 && !hasComeBack) {
      problems.push(`${whose} denies consent and may be mailed`);
    }
    if (given === true && isFree && entries.some(isOurs)) {
      problems.push(`${whose} consents and bears our entry`);
    }
    const mayEnroll = eligible.safeParse(newest.payload).success && isFree && entries.length === 0;
    if (mayEnroll && !members.has(contactId)) {
      problems.push(`${whose} is eligible and not enrolled`);
    }
    const sets = contact.utmTags.map(({ source, medium, campaign, term, content }) =>
      JSON.stringify([source, medium, campaign, term, content])
    );
    if (new Set(sets).size !== sets.length) problems.push(`${whose} has a set of UTM tags twice`);
  }
  return problems;
}

const noted = z.object({
  lead_id: z.string(),
  email_status: z.string().nullable(),
  at: z.number(),
});

/** Nobody is enrolled against the email_status that a lead of theirs had when it was intended. */
async function checkEnrollments(
  { database, ledger }: World,
  { intended, enrolled }: Seen,
): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql`select lead_id, email_status, at from simulation.status order by place`
  );
  const history = z.array(noted).parse([...rows]);
  return enrolled.flatMap(({ contactId, at }) => {
    const asked = intended.findLast((each) => each.contactId === contactId && each.at <= at);
    if (!asked) return [`contact ${contactId} was enrolled at ${at} without an intention`];
    const contactOf = new Map(
      ledger.links.filter((each) => each.at_ms < asked.at)
        .map((each) => [each.lead_id, each.contact_id]),
    );
    return [...contactOf].flatMap(([leadId, id]) => {
      const version = ledger.versions.findLast((each) =>
        each.lead_id === leadId && each.from_ms < asked.at
      );
      if (id !== contactId || version?.payload === null) return [];
      const status = history.findLast((each) => each.lead_id === leadId && each.at < asked.at)
        ?.email_status ?? null;
      if (isMailable(status)) return [];
      return [`contact ${contactId} was enrolled at ${at}, its lead ${leadId} was ${status}`];
    });
  });
}

const counts = z.object({
  events: z.number(),
  lost_workers: z.number(),
  doubled_activities: z.number(),
}).array().length(1);

/** Nothing heard of people is left lying or noted twice, and no more leases ran out than `faults` explain. */
export async function checkLeftovers({ database }: World, faults: number): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql`
    select
      (select count(*)::int from mautic.webhook_event where state in ('stored', 'failed')) as events,
      (select count(*)::int from mautic.worker)
        + (select count(*)::int from simulation.lost_worker) as lost_workers,
      (select count(*)::int from (
        select from public.lead_activity a
        where a.detail ? 'event_id'
          and not exists (select from simulation.version v where v.lead_id = a.lead_id and v.payload is null)
        group by a.lead_id, a.detail ->> 'event_id'
        having count(*) > 1
      ) d) as doubled_activities`
  );
  const [left] = counts.parse([...rows]);
  const problems: string[] = [];
  if (!left) return problems;
  if (left.events > 0) problems.push(`${left.events} events are not applied`);
  if (left.doubled_activities > 0) {
    problems.push(`${left.doubled_activities} activities are there twice`);
  }
  if (left.lost_workers > faults) {
    problems.push(`${left.lost_workers} leases ran out, there were ${faults} faults`);
  }
  return problems;
}
