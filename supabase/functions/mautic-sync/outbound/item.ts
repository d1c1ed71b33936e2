import type { ContactDelta } from "shared/contact/delta.ts";
import type { LeasedItem, Outcome } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import type { Lead } from "shared/lead/lead.ts";
import type { MauticContact } from "shared/mautic/contact_schema.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import type { Step } from "./run.ts";

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
