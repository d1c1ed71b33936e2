import { maskAddresses } from "shared/lead/address.ts";
import { isComplaint } from "./complaint.ts";

/** A do-not-contact entry of a Mautic contact. */
export type DoNotContactEntry = {
  channel: string;
  /** 0 contactable, 1 unsubscribed, 2 bounced, 3 manual; Mautic also stores any other number. */
  reason: number;
  comments: string | null;
};

/** Reason 3: set by staff or by us; the only one we ever set for a missing consent. */
export const manualReason = 3;

/**
 * The comment that marks a do-not-contact entry as ours: only an entry that bears it is ever
 * lifted. Constant for ever, since contacts carry it: a changed text would orphan their entries.
 */
export const consentComment = "No marketing consent (set by the Supabase lead sync)";

/** Is this the e-mail channel, the one whose entries decide about email_status? */
export function isEmail(channel: string): boolean {
  return channel.trim().toLowerCase() === "email";
}

/** The entries that keep a person from being mailed: of the e-mail channel, with a reason. */
export function emailEntries(entries: DoNotContactEntry[]): DoNotContactEntry[] {
  return entries.filter((entry) => isEmail(entry.channel) && entry.reason !== 0);
}

/** Was this entry set by us, for a missing consent? */
export function isOurs(entry: Pick<DoNotContactEntry, "reason" | "comments">): boolean {
  return entry.reason === manualReason && entry.comments?.trim() === consentComment;
}

/** What a webhook says of a channel. `manual`: Mautic's reason 3, set by staff or by us. */
export type SubscriptionKind = "subscribed" | "unsubscribed" | "bounced" | "complained" | "manual";

/**
 * What a do-not-contact entry means, for the webhook and for Mautic's statistics alike. Reason 1
 * and every unknown one is unsubscribed. null: our own mark, which says nothing of the person.
 */
export function kindOfEntry(entry: DoNotContactEntry): SubscriptionKind | null {
  if (isOurs(entry)) return null;
  const kind = entry.reason === 0
    ? "subscribed"
    : entry.reason === 2
    ? "bounced"
    : entry.reason === 3
    ? "manual"
    : "unsubscribed";
  return unlessComplaint(kind, entry.comments);
}

/** `complained` where the comment says so: Mautic has no status of its own for it. */
export function unlessComplaint(
  kind: SubscriptionKind,
  comments: string | null,
): SubscriptionKind {
  if (kind === "subscribed" || comments === null) return kind;
  return isComplaint(comments, { isBounce: kind === "bounced" }) ? "complained" : kind;
}

/** A do-not-contact comment as it is kept: a server's words to a bounce name the address. */
export function tidyComment(comments: string): string {
  // Masked before it is cut: half an address would not be known for one.
  const masked = maskAddresses(comments.replaceAll("\u0000", "").slice(0, 2_000));
  return masked.slice(0, 500).toWellFormed();
}
