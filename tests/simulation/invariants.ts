import { z } from "zod";
import type { MauticServer } from "../../local/mautic/server_types.ts";
import { validateAddress } from "shared/lead/address.ts";
import type { FieldValue } from "shared/contact/field_value.ts";
import { mapLead } from "shared/lead/map_lead.ts";
import { leadPayloadSchema } from "shared/lead/payload.ts";
import { fieldMap } from "../support/payload.ts";
import type { SimulatedDatabase } from "./database.ts";
import { isAskedFor } from "./history.ts";
import { checkOverlaps, doubledByMerge } from "./overlap_check.ts";
import { poisonousCompany } from "./plan.ts";
import type { World } from "./world.ts";

const leadRow = z.object({
  lead_id: z.string(),
  address: z.string().nullable(),
  payload: leadPayloadSchema,
  contact_id: z.coerce.number().nullable(),
  /** Its contact was deleted in Mautic and is left alone (setting on_contact_deleted). */
  is_left: z.boolean(),
  state: z.string().nullable(),
  error_code: z.string().nullable(),
});
export type LeadRow = z.infer<typeof leadRow>;

const textLimit = 64;

/** The leads that are there, each with its contact and what waits for it. */
export async function readLeads(database: SimulatedDatabase): Promise<LeadRow[]> {
  const rows = await database.step((sql) =>
    sql`
    select l.lead_id, l.address, l.payload, k.contact_id, o.state, o.error_code,
      exists (select from mautic.contact_link g where g.lead_id = l.lead_id and g.left_at is not null) as is_left
    from mautic.read_leads(array(select id::text from public.leads)) l
    left join mautic.contact_link k on k.lead_id = l.lead_id and k.left_at is null
    left join mautic.outbox o on o.lead_id = l.lead_id
    order by l.lead_id`
  );
  return z.array(leadRow).parse([...rows]);
}

/** Leads that should show, by contact; what is wrong with the others goes to `problems`. */
function groupByContact(
  leads: LeadRow[],
  { deeds, mautic }: World,
  problems: string[],
  mayLackContact: (lead: LeadRow) => boolean,
): Map<number, LeadRow[]> {
  const groups = new Map<number, LeadRow[]>();
  for (const lead of leads) {
    const check = validateAddress(lead.address, textLimit);
    if (lead.state !== null) {
      if (lead.state !== "dead") problems.push(`lead ${lead.lead_id} is still ${lead.state}`);
      else if (!isRightlyDead(lead, check.ok, (address) => deeds.doubled.has(address), mautic)) {
        problems.push(`lead ${lead.lead_id} is dead for a wrong reason: ${lead.error_code}`);
      }
    } else if (!check.ok) {
      // Left alone with its contact, whatever it says; or not sent, for want of an address.
      if (lead.is_left || lead.payload.email === null) continue;
      problems.push(`lead ${lead.lead_id} has no valid address and is no dead letter`);
    } else if (lead.contact_id === null) {
      if (!mayLackContact(lead)) problems.push(`lead ${lead.lead_id} has no contact`);
    } else {
      groups.set(lead.contact_id, [...groups.get(lead.contact_id) ?? [], lead]);
    }
  }
  return groups;
}

/** How a contact differs from what a lead says of it; empty: it shows the lead. */
function differences(
  { mautic }: World,
  contactId: number,
  lead: LeadRow,
  isAlone: boolean,
): string[] {
  const contact = mautic.contacts.get(contactId);
  if (!contact) return [`lead ${lead.lead_id}: its contact ${contactId} is not there`];
  const { desired } = mapLead(lead.payload, fieldMap, { text: textLimit });
  return Object.entries(desired).flatMap(([alias, wanted]) => {
    const held = contact.values.get(alias) ?? null;
    // What another lead of the person filled is not this one's to blank.
    if (shows(wanted, held) || (wanted === null && !isAlone)) return [];
    return [
      `contact ${contactId} shows ${alias} = ${JSON.stringify(held)}, its newest lead ` +
      `${lead.lead_id} says ${JSON.stringify(wanted)}`,
    ];
  });
}

/** Was this contact never anybody else's, nor its address? Then it shows no more than its lead. */
function isAlone({ deeds, ledger }: World, contactId: number, lead: LeadRow): boolean {
  const leads = new Set(
    ledger.links.filter((each) => each.contact_id === contactId).map((each) => each.lead_id),
  );
  return leads.size === 1 && !ledger.isShared(lead.address ?? "") &&
    !deeds.direct.some((call) => call.address === lead.address || call.leadId === lead.lead_id) &&
    !deeds.removed.has(contactId) && !deeds.doubled.has(lead.address ?? "") &&
    ledger.versions.every((each) =>
      each.lead_id !== lead.lead_id || each.address === null || !ledger.isShared(each.address)
    );
}

/**
 * Invariant 1: every live lead's contact shows the newest of its leads, or the lead is rightly dead.
 * Not looked at are contacts that somebody changed after the lead's newest change: a person in
 * Mautic, a caller with a payload of its own, or a lead that is gone since.
 */
export async function checkContacts(world: World): Promise<string[]> {
  const { deeds, ledger } = world;
  const leads = await readLeads(world.database);
  const problems: string[] = [];
  const changedAt = (leadId: string) => ledger.newestChange(leadId).until;
  const groups = groupByContact(
    leads,
    world,
    problems,
    ({ lead_id, is_left }) =>
      is_left || ledger.links.some((each) =>
        each.lead_id === lead_id &&
        (deeds.removed.get(each.contact_id) ?? -1) >= ledger.newestChange(lead_id).from
      ),
  );
  const live = new Set(leads.map(({ lead_id }) => lead_id));
  for (const [contactId, group] of groups) {
    const newest = group.reduce((a, b) => changedAt(b.lead_id) > changedAt(a.lead_id) ? b : a);
    const from = ledger.newestChange(newest.lead_id).from;
    // A merge brings values that no answer to us has shown: as when staff edits a field, they stand
    // until the lead changes that field, or is replayed by force (the check below).
    if (deeds.removed.has(contactId)) continue;
    const ids = new Set(group.map(({ lead_id }) => lead_id));
    // A lead that is gone, dead or elsewhere may have left its newer state on the contact.
    const others = ledger.links.filter((each) =>
      each.contact_id === contactId && !ids.has(each.lead_id)
    );
    // Also by address: a lead may be gone before anybody settled what was sent of it.
    const namesakes = ledger.versions.filter((each) =>
      each.address === newest.address && !live.has(each.lead_id)
    );
    const later = [...others, ...namesakes].filter((other) => changedAt(other.lead_id) >= from);
    const direct = deeds.direct.filter((call) =>
      (ids.has(call.leadId) || call.address === newest.address) && call.endedAt >= from
    );
    const found = differences(world, contactId, newest, isAlone(world, contactId, newest));
    if (later.length === 0 && direct.length === 0) {
      problems.push(...found);
      continue;
    }
    // Else it shows one of them.
    const gone = new Set(later.map(({ lead_id }) => lead_id));
    const candidates = [
      ...group.filter((each) => changedAt(each.lead_id) >= from),
      ...ledger.versions.flatMap(({ lead_id, payload, until_ms }) =>
        gone.has(lead_id) && payload !== null && until_ms >= from - 300_000
          ? [{ ...newest, lead_id, payload }]
          : []
      ),
      ...direct.map((call) => ({ ...newest, lead_id: call.leadId, payload: call.payload })),
    ];
    const isShown = found.length === 0 ||
      candidates.some((each) => differences(world, contactId, each, false).length === 0);
    if (!isShown) problems.push(`(one of ${candidates.length}) ${found.join("; ")}`);
  }
  return problems;
}

const signupRow = z.object({
  lead_id: z.string(),
  payload: leadPayloadSchema,
  contact_id: z.coerce.number().nullable(),
  state: z.string().nullable(),
});

/**
 * What the second table says reaches Mautic, too: a contact that no lead of the first one ever was
 * shows what its newest signup says.
 */
export async function checkSignups({ database, mautic, deeds, ledger }: World): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql`
    select l.lead_id, l.payload, k.contact_id, o.state
    from mautic.read_leads(array(select 'signup:' || id from public.signup)) l
    left join mautic.contact_link k on k.lead_id = l.lead_id and k.left_at is null
    left join mautic.outbox o on o.lead_id = l.lead_id
    order by l.lead_id`
  );
  const signups = z.array(signupRow).parse([...rows]);
  return signups.flatMap(({ lead_id, payload, contact_id, state }): string[] => {
    if (state === "dead" || contact_id === null || deeds.removed.has(contact_id)) return [];
    const others = ledger.links.filter((each) =>
      each.contact_id === contact_id && each.lead_id !== lead_id
    );
    const contact = mautic.contacts.get(contact_id);
    if (others.length > 0 || !contact) return [];
    const address = String(contact.values.get("email") ?? "");
    if (deeds.direct.some((call) => call.address === address)) return [];
    return ["company", "phone"].flatMap((alias) => {
      const wanted = payload.fields[alias] ?? null;
      const held = contact.values.get(alias) ?? null;
      return wanted === null || shows(wanted, held)
        ? []
        : [`contact ${contact_id} shows ${alias} = ${held}, its only ${lead_id} says ${wanted}`];
    });
  });
}

/**
 * The same without excuses, once everything was replayed by force: whatever people and callers did,
 * each contact shows a lead than which no other one of it is surely newer.
 */
export async function checkContactsStrictly(world: World): Promise<string[]> {
  const { ledger } = world;
  const problems: string[] = [];
  const groups = groupByContact(await readLeads(world.database), world, problems, () => false);
  for (const [contactId, group] of groups) {
    const newest = group.filter((lead) =>
      !group.some((other) =>
        ledger.newestChange(lead.lead_id).until < ledger.newestChange(other.lead_id).from
      )
    );
    const found = newest.map((lead) => differences(world, contactId, lead, false));
    if (found.every((differing) => differing.length > 0)) {
      problems.push(...found.flat().map((line) => `after a replay of everything: ${line}`));
    }
  }
  return problems;
}

function isRightlyDead(
  lead: LeadRow,
  hasAddress: boolean,
  duplicated: (address: string) => boolean,
  mautic: MauticServer,
): boolean {
  switch (lead.error_code) {
    case "invalid_email":
    case "invalid_lead":
      return !hasAddress;
    case "duplicate_contact": {
      const holder = mautic.contactByEmail(lead.address ?? "");
      return (holder !== null && holder.id !== lead.contact_id) || duplicated(lead.address ?? "");
    }
    case "mautic_failed":
      // Mautic failed on it until all was quiet; since then nobody edited it.
      return JSON.stringify(lead.payload).includes(poisonousCompany);
    default:
      return false;
  }
}

/** Mautic strips tags and decodes entities, so texts with markup are not compared. */
function shows(wanted: FieldValue, held: unknown): boolean {
  if (wanted === null) return held === null || held === "" || held === 0;
  if (typeof wanted === "string" && /[<>&]/.test(wanted)) return held !== null;
  if (typeof wanted === "number" || typeof held === "number") {
    return Number(wanted) === Number(held);
  }
  return String(wanted).toLowerCase() === String(held ?? "").toLowerCase();
}

/** Invariants 2, 3 and 5: what the emulator and the tables show once all is quiet. */
export async function checkRest(
  world: World,
  enrolled: { contactId: number; email: string; at: number }[],
): Promise<string[]> {
  const { database, mautic, deeds, ledger } = world;
  const problems: string[] = [];
  const doubled = doubledByMerge(world);
  for (const email of mautic.duplicateEmails()) {
    if (!doubled.has(email)) problems.push(`two contacts have ${email}`);
  }
  for (const member of mautic.campaignMembers(mautic.campaignId)) {
    // A merge brings along what the other contact was in.
    const brought = deeds.merges.filter(({ winner, loser }) =>
      winner === member.contactId && enrolled.some((each) => each.contactId === loser)
    );
    if (member.rotation > 1 + brought.length) {
      problems.push(`contact ${member.contactId} was enrolled twice`);
    }
  }
  for (const { contactId, email, at } of enrolled) {
    const isAsked = isAskedFor(deeds, contactId, at);
    // A merged contact has leads with other addresses than its own.
    const addresses = [email, ...ledger.addressesOf(contactId)].filter((each) => each !== "");
    if (isAsked || addresses.length === 0) continue;
    if (!addresses.some((address) => ledger.isEligible(address, at))) {
      problems.push(
        `contact ${contactId} (${email}) was enrolled at ${at} without any lead that allows it`,
      );
    }
  }
  problems.push(...checkOverlaps(world));
  const [left] = await database.step((sql) =>
    sql`
    select
      (select count(*)::int from mautic.worker where lease_expires_at > mautic.clock()) as workers,
      (select count(*)::int from mautic.outbox where person_keys is not null) as held,
      (select count(*)::int from mautic.lead_change) as changes`
  );
  for (const [what, count] of Object.entries(left ?? {})) {
    if (count !== 0) problems.push(`${count} ${what} are left`);
  }
  return problems;
}
