import { contactDelta } from "shared/contact/delta.ts";
import type { Work } from "./item.ts";

/** Whose lead changed earlier comes first. */
export function byChange(a: Work, b: Work): number {
  return Date.parse(a.item.changed_at) - Date.parse(b.item.changed_at);
}

/** Mautic answered with the survivor of a merge. */
export function isMerged({ contact, contactId }: Work): boolean {
  return contact !== undefined && contact.id !== contactId;
}

/** What was known is known of the merged-away contact: the survivor gets the whole lead. */
export function startOver(work: Work): void {
  work.item = { ...work.item, snapshot: {}, refused: {} };
  work.delta = contactDelta(work.desired, work.item);
  work.sent = false;
}
