import { type DoNotContactEntry, emailEntries, isOurs } from "./entry.ts";

export interface ConsentDecision {
  action: "add" | "lift" | "none";
  reason:
    | "consent_unknown"
    | "consent_denied"
    | "already_do_not_contact"
    | "consent_given"
    | "nothing_to_lift"
    | "entry_not_ours";
}

/**
 * What a lead's consent means for its contact's do-not-contact list. Pure and total.
 *
 * Denied: an entry is added only where none exists, for 3 would replace a bounce. Given: only an
 * entry of ours is lifted, and only when it stands alone, because Mautic's removal takes whatever
 * is there. An unsubscribe (1) or bounce (2) is never lifted. Unknown changes nothing.
 *
 * @param optIn The lead's consent to marketing; null: unknown.
 * @param entries The contact's do-not-contact entries as they are now, of all channels.
 *
 * @example A person who unsubscribed stays unsubscribed, whatever the lead says
 * ```ts
 * import assert from "node:assert/strict";
 * import { decideConsent } from "shared/consent/decide.ts";
 *
 * const unsubscribed = { channel: "email", reason: 1, comments: "User unsubscribed" };
 * const decision = decideConsent({ optIn: true, entries: [unsubscribed] });
 * assert.deepEqual(decision, { action: "none", reason: "entry_not_ours" });
 * ```
 */
export function decideConsent(
  { optIn, entries }: { optIn: boolean | null; entries: DoNotContactEntry[] },
): ConsentDecision {
  const standing = emailEntries(entries);
  if (optIn === false) {
    return standing.length > 0
      ? { action: "none", reason: "already_do_not_contact" }
      : { action: "add", reason: "consent_denied" };
  }
  if (optIn !== true) return { action: "none", reason: "consent_unknown" };
  if (standing.length === 0) return { action: "none", reason: "nothing_to_lift" };
  return standing.every(isOurs)
    ? { action: "lift", reason: "consent_given" }
    : { action: "none", reason: "entry_not_ours" };
}
