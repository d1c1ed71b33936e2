import { z } from "zod";
import type { MauticServer } from "../../local/mautic/server_types.ts";
import { validateAddress } from "../../shared/address.ts";
import { type FieldAliases, type FieldValue, mapLead } from "../../shared/contact_mapper.ts";
import { parseLead } from "../../shared/lead.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { Deeds } from "./history.ts";

const leadRow = z.object({
  lead_id: z.string(),
  address: z.string().nullable(),
  payload: z.unknown(),
  contact_id: z.coerce.number().nullable(),
  state: z.string().nullable(),
  error_code: z.string().nullable(),
  changed_ms: z.coerce.number(),
  /** Every contact the lead was ever linked to. */
  contacts: z.array(z.coerce.number()),
});
type LeadRow = z.infer<typeof leadRow>;

const textLimit = 64;

/** Invariant 1: every live lead's contact shows the newest of its leads, or the lead is rightly dead. */
export async function checkContacts(
  { database, mautic, aliases, deeds, isUntroubled, duplicated }: {
    database: SimulatedDatabase;
    mautic: MauticServer;
    aliases: FieldAliases;
    deeds: Deeds;
    /** Without any lost attempt. */
    isUntroubled: boolean;
    /** Addresses that ever belonged to two contacts or moved between leads: 422 is right there. */
    duplicated(address: string): boolean;
  },
): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql`
    select
      l.lead_id, l.address, l.payload, k.contact_id, o.state, o.error_code,
      (select extract(epoch from max(c.changed_at)) * 1000 from simulation.change c
        where c.lead_id = l.lead_id) as changed_ms,
      array(select e.contact_id::float8 from simulation.link e where e.lead_id = l.lead_id) as contacts
    from mautic.lead l
    left join mautic.contact_link k on k.lead_id = l.lead_id
    left join mautic.outbox o on o.lead_id = l.lead_id
    order by l.lead_id`
  );
  const leads = z.array(leadRow).parse([...rows]);
  const everRows = await database.step((sql) =>
    sql`
    select k.contact_id, c.lead_id, extract(epoch from max(c.changed_at)) * 1000 as changed_ms
    from simulation.link k join simulation.change c on c.lead_id = k.lead_id
    group by k.contact_id, c.lead_id order by 1, 2`
  );
  // Also by address: a lead may be gone before anybody settled what was sent of it.
  const addressRows = await database.step((sql) =>
    sql`
    select v.address, v.lead_id, extract(epoch from max(c.changed_at)) * 1000 as changed_ms
    from simulation.version v join simulation.change c on c.lead_id = v.lead_id
    where v.address is not null
    group by v.address, v.lead_id order by 1, 2`
  );
  const everAt = z.array(
    z.object({ address: z.string(), lead_id: z.string(), changed_ms: z.coerce.number() }),
  ).parse([...addressRows]);
  const ever = z.array(
    z.object({
      contact_id: z.coerce.number(),
      lead_id: z.string(),
      changed_ms: z.coerce.number(),
    }),
  ).parse([...everRows]);

  // A core field that was filled by a lost attempt and emptied before the next one stays: it cannot
  // be told from one that somebody filled in Mautic.
  const mayBlank = (alias: string) =>
    isUntroubled || alias === aliases.score || alias === aliases.status;
  const problems: string[] = [];
  const groups = new Map<number, LeadRow[]>();
  for (const lead of leads) {
    const check = validateAddress(lead.address, textLimit);
    if (lead.state !== null) {
      if (lead.state !== "dead") problems.push(`lead ${lead.lead_id} is still ${lead.state}`);
      else if (!isRightlyDead(lead, check.ok, duplicated)) {
        problems.push(`lead ${lead.lead_id} is dead for a wrong reason: ${lead.error_code}`);
      }
      continue;
    }
    if (!check.ok) {
      problems.push(`lead ${lead.lead_id} has no valid address and is no dead letter`);
    } else if (lead.contact_id === null) {
      const isLost = lead.contacts.some((id) => (deeds.removed.get(id) ?? -1) >= lead.changed_ms);
      if (isLost) continue;
      problems.push(`lead ${lead.lead_id} has no contact`);
    } else {
      groups.set(lead.contact_id, [...groups.get(lead.contact_id) ?? [], lead]);
    }
  }

  for (const [contactId, group] of groups) {
    const newest = group.reduce((a, b) => b.changed_ms > a.changed_ms ? b : a);
    if ((deeds.removed.get(contactId) ?? -1) >= newest.changed_ms) continue;
    // A lead that is gone, dead or elsewhere may have left its newer state on the contact.
    const others = ever.filter((each) =>
      each.contact_id === contactId && !group.some(({ lead_id }) => lead_id === each.lead_id)
    );
    const ids = new Set(group.map(({ lead_id }) => lead_id));
    const namesakes = everAt.filter((each) =>
      each.address === newest.address && !leads.some(({ lead_id }) => lead_id === each.lead_id)
    );
    if ([...others, ...namesakes].some((other) => other.changed_ms >= newest.changed_ms)) continue;
    const direct = deeds.direct.filter((call) =>
      (ids.has(call.leadId) || call.address === newest.address) && call.endedAt >= newest.changed_ms
    );
    if (direct.length > 0) continue;
    const contact = mautic.contacts.get(contactId);
    if (!contact) {
      problems.push(`lead ${newest.lead_id}: its contact ${contactId} is not there`);
      continue;
    }
    const parsed = parseLead(newest.payload);
    if (!parsed.ok) continue;
    const { desired } = mapLead(parsed.lead, aliases, { text: textLimit });
    const isAlone = group.length === 1 && others.length === 0 &&
      !deeds.direct.some((call) => call.address === newest.address || ids.has(call.leadId)) &&
      !duplicated(newest.address ?? "");
    for (const [alias, wanted] of Object.entries(desired)) {
      const held = contact.values.get(alias) ?? null;
      if (shows(wanted, held) || (wanted === null && (!isAlone || !mayBlank(alias)))) continue;
      problems.push(
        `contact ${contactId} shows ${alias} = ${JSON.stringify(held)}, its newest lead ` +
          `${newest.lead_id} says ${JSON.stringify(wanted)}`,
      );
    }
  }
  return problems;
}

function isRightlyDead(
  lead: LeadRow,
  hasAddress: boolean,
  duplicated: (address: string) => boolean,
): boolean {
  switch (lead.error_code) {
    case "invalid_email":
    case "invalid_lead":
      return !hasAddress;
    case "duplicate_contact":
      return duplicated(lead.address ?? "");
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
  { database, mautic, removed, enrolled, isEligible }: {
    database: SimulatedDatabase;
    mautic: MauticServer;
    removed: ReadonlyMap<number, number>;
    enrolled: { contactId: number; email: string; at: number }[];
    isEligible(email: string, at: number): boolean;
  },
): Promise<string[]> {
  const problems: string[] = [];
  for (const email of mautic.duplicateEmails()) problems.push(`two contacts have ${email}`);
  for (const member of mautic.campaignMembers(mautic.campaignId)) {
    if (member.rotation > 1) problems.push(`contact ${member.contactId} was enrolled twice`);
  }
  for (const { contactId, email, at } of enrolled) {
    // A merged contact has leads with other addresses than its own.
    if (email !== "" && !removed.has(contactId) && !isEligible(email, at)) {
      problems.push(
        `contact ${contactId} (${email}) was enrolled at ${at} without any lead that allows it`,
      );
    }
  }
  // Two contacts that a person makes one while a request is on its way overlap by no fault of ours.
  const isMerged = (text: string) =>
    [...text.matchAll(/(?:^id:|contacts?\/)(\d+)/g)].some(([, id]) => removed.has(Number(id)));
  for (const { person, first, second } of mautic.overlappingWrites()) {
    if ([person, first.path, second.path].some(isMerged)) continue;
    problems.push(
      `two writes at once for ${person}: ${first.path} from ${first.startedAt}, ${second.path} from ${second.startedAt}`,
    );
  }
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
