import { contactDelta } from "shared/contact/delta.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import type { FieldMap } from "shared/lead/field_map.ts";
import { type Cut, mapLead } from "shared/lead/map_lead.ts";
import type { LeadPayload } from "shared/lead/payload.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import { dead } from "./failure.ts";
import {
  filledAliases,
  type Leased,
  type Reach,
  type Removal,
  type Result,
  type Settled,
  type Unsettled,
  withResult,
} from "./item.ts";
import { postponedAsMissing } from "./missing.ts";
import { utmSet } from "./utm_tags.ts";

/** An item as it sets out, and the texts that were too long for their fields. */
export interface Preparation {
  work: Unsettled | Settled | Removal;
  cut: Cut[];
}

/**
 * Checks, maps and compares a leased item: everything that can be decided before a request. Pure
 * and total.
 */
export function prepare(
  item: LeasedItem,
  fieldMap: FieldMap,
  settings: SyncSettings,
): Preparation {
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

  const { payload } = item;
  if (payload === null) {
    // Deleted behind the triggers' back.
    const result = dead("invalid_lead", "The table holds no such lead.");
    return { work: withResult(leased, result), cut: [] };
  }
  // Whether it belongs in Mautic cannot be told: nothing is sent of it, but for a no.
  if (payload.missing.some(decidesMembership)) {
    const result = postponedAsMissing(payload.missing);
    return { work: withResult({ ...leased, address: "" }, result), cut: [] };
  }
  if (!payload.in_scope || payload.unreadable.some(decidesMembership)) {
    // Without an address nothing is recorded of a contact that merely has it.
    const result: Result = { result: "done", action: "out_of_scope" };
    return { work: withResult({ ...leased, address: "" }, result), cut: [] };
  }
  const addressed = addressOf(payload, settings);
  if (!addressed.ok) return { work: withResult(leased, addressed.result), cut: [] };
  const { address } = addressed;
  if (item.superseded && item.operation !== "look_up") {
    // A newer change of another lead of this person is in Mautic already: only the link is new.
    return { work: withResult({ ...leased, address }, { result: "done" }), cut: [] };
  }

  // A mere withdrawal finds a contact that is there, and changes no field of it.
  const { desired, cut } = item.withdraws
    ? { desired: {}, cut: [] }
    : mapLead(payload, fieldMap, settings.limits);
  const filled = filledBy(item, fieldMap, settings);
  // Whoever is found by the address may not be the contact that had it when we heard of it last.
  const { snapshot, refused } = item.operation === "look_up" ? { snapshot: {}, refused: {} } : item;
  const known = { snapshot, refused, filled };
  const delta = contactDelta(desired, {
    ...(item.force ? { snapshot: {}, refused: {} } : known),
    // A creation blanks nothing: it may meet a contact that somebody else filled.
    filled: contactId === null ? [] : filled,
  });
  const fields = { payload, utm: utmSet(payload, fieldMap), desired, known, delta };
  return { work: { ...leased, state: "unsettled", address, fields }, cut };
}

/**
 * The address to send a lead by, or what the lead comes to without one: a lead that has none is no
 * fault, it is sent once it gets one.
 */
function addressOf(
  { email, missing, unreadable }: LeadPayload,
  { fieldMaxLength }: SyncSettings,
): { ok: true; address: string } | { ok: false; result: Result } {
  if (missing.includes("email")) return { ok: false, result: postponedAsMissing(missing) };
  if (unreadable.includes("email")) {
    return { ok: false, result: dead("invalid_email", "contact.email cannot be read.") };
  }
  if (email === null) return { ok: false, result: { result: "done", action: "without_address" } };
  const checked = validateAddress(email, fieldMaxLength);
  return checked.ok
    ? checked
    : { ok: false, result: dead("invalid_email", `contact.email ${checked.reason}.`) };
}

/** The roles that say whether a row is a lead that belongs in Mautic. */
function decidesMembership(name: string): boolean {
  return name === "scope" || name === "deleted";
}

/** The aliases that the lead has filled, by what was confirmed and by what attempts may have brought. */
function filledBy(item: LeasedItem, fieldMap: FieldMap, { limits }: SyncSettings): string[] {
  const attempted = item.attempted.flatMap(({ payload }) =>
    payload === null ? [] : filledAliases(mapLead(payload, fieldMap, limits).desired)
  );
  return [...new Set([...item.filled, ...attempted])];
}
