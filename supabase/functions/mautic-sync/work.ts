import { type ContactDelta, contactDelta } from "shared/contact/delta.ts";
import type { Database } from "shared/database/database.ts";
import type { LeasedItem, Outcome } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import { type Lead, parseLead } from "shared/lead/lead.ts";
import { mapLead } from "shared/lead/map_lead.ts";
import type { MauticClient } from "shared/mautic/client.ts";
import type { MauticContact } from "shared/mautic/contact_schema.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

/** What the steps of a sync need from outside. */
export interface SyncContext {
  mautic: MauticClient;
  database: Database;
  settings: SyncSettings;
  clock: Clock;
  random: () => number;
  log: Log;
  run: Run;
}

/** A kind of request, as far as one that passed says something of another that failed. */
export type Step = "read" | "save" | "consent" | "tag" | "enroll" | "other";

/** What a worker has learned of Mautic's state since it started. */
export interface Run {
  batchSize: number;
  /** The kinds of calls that got through. */
  passed: Set<Step>;
  failedAlone: number;
  /** Mautic did something for us, be it a read: the circuit breaker wants to know. */
  answered: boolean;
  /** Set when nothing more should be sent for now: Mautic is down, full, or refuses us. */
  halt: { code: string; delayMs: number } | undefined;
}

/** A fresh {@link Run}. */
export function startRun(settings: SyncSettings): Run {
  return {
    batchSize: settings.batchSize,
    passed: new Set(),
    failedAlone: 0,
    answered: false,
    halt: undefined,
  };
}

/** One leased item on its way. Closed as soon as it has a result. */
export interface Work {
  item: LeasedItem;
  /** Undefined where the payload is at fault. */
  lead: Lead | undefined;
  address: string;
  desired: Record<string, string | number | null>;
  delta: ContactDelta;
  /** The contact to edit; undefined: one is to be created. */
  contactId: number | undefined;
  /** What Mautic answered last about the contact. */
  contact: MauticContact | undefined;
  created: boolean;
  sent: boolean;
  /** A 500 came in between: what was sent may be in Mautic, whatever was answered last. */
  mayBeDone: boolean;
  /** The failure may be this item's own doing, if others got through with the same. */
  isToBlame: boolean;
  failedStep: Step | undefined;
  enrolled: boolean | undefined;
  enrollmentReason: string | undefined;
  /** What became of a deleted lead's contact. */
  removal: Pick<Outcome, "action" | "removed_contact_ids"> | undefined;
  result:
    | Pick<Outcome, "result" | "delay_ms" | "failed_alone" | "error_code" | "error_message">
    | undefined;
}

/** Still without a result. */
export function open(work: Work): boolean {
  return work.result === undefined;
}

/** Ends an item as a dead letter: `message` names the field and the remedy. */
export function die(work: Work, code: string, message: string): void {
  work.result = { result: "dead", error_code: code, error_message: message };
}

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

/** The addresses under which attempts of unknown outcome may have made the person known. */
export function attemptedAddresses(
  { attempted }: LeasedItem,
  { fieldMaxLength }: SyncSettings,
): string[] {
  return attempted.flatMap(({ address }) => {
    const checked = validateAddress(address, fieldMaxLength);
    return checked.ok ? [checked.address] : [];
  });
}

/** True when the contact's fields have to be sent. */
export function hasFieldsToSend(work: Work): boolean {
  return work.contactId === undefined || Object.keys(work.delta.fields).length > 0 ||
    work.delta.blanks.length > 0;
}
