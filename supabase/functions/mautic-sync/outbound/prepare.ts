import { contactDelta } from "shared/contact/delta.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import { parseLead } from "shared/lead/lead.ts";
import { type Cut, mapLead } from "shared/lead/map_lead.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import { dead } from "./failure.ts";
import {
  type Leased,
  type Reach,
  type Removal,
  type Settled,
  type Unsettled,
  withResult,
} from "./item.ts";

/** An item as it sets out, and the texts that were too long for their fields. */
export interface Preparation {
  work: Unsettled | Settled | Removal;
  cut: Cut[];
}

/**
 * Parses, maps and compares a leased item: everything that can be decided before a request. Pure
 * and total.
 */
export function prepare(item: LeasedItem, settings: SyncSettings): Preparation {
  const contactId = item.operation === "look_up" ? null : item.contact_id;
  const reach: Reach = contactId === null
    ? { stage: "prepared" }
    : { stage: "addressed", contactId };
  const leased: Leased = {
    item,
    address: item.address ?? "",
    fields: null,
    reach,
    mayBeDone: false,
  };
  if (item.operation === "remove") return { work: { ...leased, state: "removal" }, cut: [] };

  const parsed = parseLead(item.payload);
  if (!parsed.ok) {
    const said = parsed.issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
    const code = parsed.issues.every((issue) => issue.path === "contact.email")
      ? "invalid_email"
      : "invalid_lead";
    return { work: withResult(leased, dead(code, `${said}.`)), cut: [] };
  }
  const { lead } = parsed;
  const checked = validateAddress(lead.contact.email, settings.fieldMaxLength);
  if (!checked.ok) {
    const result = dead("invalid_email", `contact.email ${checked.reason}.`);
    return { work: withResult(leased, result), cut: [] };
  }
  const { address } = checked;
  if (item.superseded && item.operation !== "look_up") {
    // A newer change of another lead of this person is in Mautic already: only the link is new.
    return { work: withResult({ ...leased, address }, { result: "done" }), cut: [] };
  }

  const { desired, cut } = mapLead(lead, settings.aliases, settings.limits);
  const filled = filledBy(item, settings);
  // Whoever is found by the address may not be the contact that had it when we heard of it last.
  const { snapshot, refused } = item.operation === "look_up" ? { snapshot: {}, refused: {} } : item;
  const known = { snapshot, refused, filled };
  const delta = contactDelta(desired, {
    ...(item.force ? { snapshot: {}, refused: {} } : known),
    // A creation blanks nothing: it may meet a contact that somebody else filled.
    filled: contactId === null ? [] : filled,
  });
  const fields = { lead, desired, known, delta };
  return { work: { ...leased, state: "unsettled", address, fields }, cut };
}

/** The aliases that the lead has filled, by what was confirmed and by what attempts may have brought. */
function filledBy(item: LeasedItem, { aliases, limits }: SyncSettings): string[] {
  const attempted = item.attempted.flatMap(({ payload }) => {
    const parsed = parseLead(payload);
    if (!parsed.ok) return [];
    const { desired } = mapLead(parsed.lead, aliases, limits);
    return Object.keys(desired).filter((alias) => desired[alias] !== null);
  });
  return [...new Set([...item.filled, ...attempted])];
}
