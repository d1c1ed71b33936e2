import { contactDelta } from "shared/contact/delta.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import { parseLead } from "shared/lead/lead.ts";
import { mapLead } from "shared/lead/map_lead.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import { die, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

/** Parses, maps and compares a leased item: everything that can be decided before a request. */
export function prepare(item: LeasedItem, { settings, log }: SyncContext): Work {
  const work: Work = {
    item,
    lead: undefined,
    address: item.address ?? "",
    desired: {},
    delta: { fields: {}, blanks: [] },
    contactId: item.operation === "look_up" ? undefined : item.contact_id ?? undefined,
    contact: undefined,
    created: false,
    sent: false,
    mayBeDone: false,
    isToBlame: false,
    failedStep: undefined,
    enrolled: undefined,
    enrollmentReason: undefined,
    removal: undefined,
    result: undefined,
  };
  if (item.operation === "remove") return work;
  const parsed = parseLead(item.payload);
  if (!parsed.ok) {
    const said = parsed.issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
    const code = parsed.issues.every((issue) => issue.path === "contact.email")
      ? "invalid_email"
      : "invalid_lead";
    die(work, code, `${said}. Correct the lead; the edit sends it again.`);
    return work;
  }
  const address = validateAddress(parsed.lead.contact.email, settings.fieldMaxLength);
  if (!address.ok) {
    die(
      work,
      "invalid_email",
      `contact.email ${address.reason}. Correct the lead; the edit sends it again.`,
    );
    return work;
  }
  work.lead = parsed.lead;
  work.address = address.address;
  if (item.superseded && item.operation !== "look_up") {
    // A newer change of another lead of this person is in Mautic already: only the link is new.
    work.result = { result: "done" };
    return work;
  }
  if (item.operation === "look_up") {
    // Whoever is found by the address may not be the contact that had it when we heard of it last.
    item = { ...item, snapshot: {}, refused: {}, enrolled_campaigns: [] };
  }
  const mapped = mapLead(parsed.lead, settings.aliases, settings.limits);
  work.desired = mapped.desired;
  for (const cut of mapped.cut) {
    log.warn("field_cut", {
      leadId: item.lead_id,
      field: cut.alias,
      length: cut.length,
      limit: cut.limit,
    });
  }
  work.item = { ...item, filled: filledBy(item, settings) };
  work.delta = contactDelta(work.desired, {
    snapshot: item.force ? {} : item.snapshot,
    refused: item.force ? {} : item.refused,
    // A creation blanks nothing: it may meet a contact that somebody else filled.
    filled: work.contactId === undefined ? [] : work.item.filled,
  });
  return work;
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
