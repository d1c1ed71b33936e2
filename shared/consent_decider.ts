/** A do-not-contact entry of a Mautic contact. */
export interface DoNotContactEntry {
  channel: string;
  /** 0 contactable, 1 unsubscribed, 2 bounced, 3 manual; Mautic also stores any other number. */
  reason: number;
  comments: string | null;
}

/** Reason 3: set by staff or by us; the only one we ever set for a missing consent. */
export const manualReason = 3;

/**
 * The comment that marks a do-not-contact entry as ours: only an entry that bears it is ever
 * lifted. Constant for ever, since contacts carry it: a changed text would orphan their entries.
 */
export const consentComment = "No marketing consent (set by the Supabase lead sync)";

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

/** The entries that keep a person from being mailed: of the e-mail channel, with a reason. */
export function emailEntries(entries: DoNotContactEntry[]): DoNotContactEntry[] {
  return entries.filter((entry) =>
    entry.channel.trim().toLowerCase() === "email" && entry.reason !== 0
  );
}

/** Was this entry set by us, for a missing consent? */
export function isOurs(entry: DoNotContactEntry): boolean {
  return entry.reason === manualReason && entry.comments?.trim() === consentComment;
}

/**
 * What a lead's consent means for its contact's do-not-contact list. Pure and total.
 *
 * Denied: an entry is added only where none exists, for 3 would replace a bounce. Given: only an
 * entry of ours is lifted, and only when it stands alone, because Mautic's removal takes whatever
 * is there. An unsubscribe (1) or bounce (2) is never lifted. Unknown changes nothing.
 */
export function decideConsent(
  { optIn, entries }: { optIn: boolean | null | undefined; entries: DoNotContactEntry[] },
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
