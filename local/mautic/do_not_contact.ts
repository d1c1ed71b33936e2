/**
 * Do-not-contact entries: which reason replaces which, events, endpoints (docs/mautic.md, "Do not
 * contact").
 */
import { failure, notFound, ok } from "./answers.ts";
import { contactEvent, touch } from "./contact_events.ts";
import { emit, type HookEvent } from "./hook_delivery.ts";
import type { Call, Mautic } from "./mautic.ts";
import { isObject, toInteger } from "./php.ts";
import { serialiseContact } from "./serialise.ts";
import { findContact, nextId } from "./state.ts";
import type { Answer, Contact, DoNotContactRow, Json } from "./types.ts";

export const UNSUBSCRIBED = 1;
export const BOUNCED = 2;
export const MANUAL = 3;

export interface NewEntry {
  channel: string;
  reason: number;
  comments: string;
  channelId: number | null;
}

/** The status names of the channel event; every unknown reason reads as unsubscribed. */
function statusOf(reason: number): string {
  if (reason === 0) return "contactable";
  return reason === BOUNCED ? "bounced" : reason === MANUAL ? "manual" : "unsubscribed";
}

/**
 * Adds an entry or changes its reason. Returns the old and new status when something changed.
 *
 * An existing entry keeps its row when the reason is the same, when it is an unsubscribe (1), and
 * when the new one names a `channelId`: Mautic then compares the old channel with a list and finds
 * nothing to replace. So 1 without a `channelId` takes the place of 3 (recorded:
 * dnc-add-email-reason-1), and an unsubscribe link after a bounce changes nothing (seen live).
 */
export function addEntry(
  mautic: Mautic,
  contact: Contact,
  entry: NewEntry,
): { oldStatus: string; newStatus: string } | null {
  const dateAdded = mautic.clock.now();
  const change = { oldStatus: statusOf(0), newStatus: statusOf(entry.reason) };
  const existing = contact.doNotContact.find((row) => row.channel === entry.channel);
  if (!existing) {
    contact.doNotContact.push({ id: nextId(mautic.state, "doNotContact"), dateAdded, ...entry });
    return change;
  }
  const isKept = existing.reason === entry.reason || existing.reason === UNSUBSCRIBED ||
    entry.channelId !== null;
  if (isKept) return null;
  const row: DoNotContactRow = { id: existing.id, dateAdded, ...entry };
  contact.doNotContact[contact.doNotContact.indexOf(existing)] = row;
  // A replaced entry reads as contactable before (recorded: dnc-add-email-reason-1).
  return change;
}

/** Removes the entry of a channel, whatever its reason. */
export function removeEntry(
  contact: Contact,
  channel: string,
): { oldStatus: string; newStatus: string } | null {
  const existing = contact.doNotContact.find((row) => row.channel === channel);
  if (!existing) return null;
  contact.doNotContact = contact.doNotContact.filter((row) => row !== existing);
  return { oldStatus: statusOf(existing.reason), newStatus: statusOf(0) };
}

/** The event of a changed channel, before the save event of the same contact. */
export function channelEvent(
  mautic: Mautic,
  contact: Contact,
  channel: string,
  change: { oldStatus: string; newStatus: string },
  created = false,
): HookEvent {
  return contactEvent(mautic, contact, "mautic.lead_channel_subscription_changed", {
    view: { created },
    extra: { channel, old_status: change.oldStatus, new_status: change.newStatus },
  });
}

/** `doNotContact` in the body of a save: reason 0 removes, anything else adds. */
export function applyBodyEntries(
  mautic: Mautic,
  contact: Contact,
  body: Json | undefined,
  created: boolean,
): HookEvent[] {
  const entries = Array.isArray(body) ? body : isObject(body) ? Object.values(body) : [];
  return entries.flatMap((entry) => {
    if (!isObject(entry) || typeof entry.channel !== "string") return [];
    const { channel } = entry;
    const reason = entry.reason === undefined ? MANUAL : toInteger(entry.reason);
    const comments = typeof entry.comments === "string" ? entry.comments : "";
    const change = reason === 0
      ? removeEntry(contact, channel)
      : addEntry(mautic, contact, { channel, reason, comments, channelId: null });
    return change ? [channelEvent(mautic, contact, channel, change, created)] : [];
  });
}

export async function addDoNotContact(call: Call, id: number, channel: string): Promise<Answer> {
  const { mautic, actor, request } = call;
  const contact = findContact(mautic.state, id);
  if (!contact) return notFound();
  const body = isObject(request.body) ? request.body : {};
  const reason = body.reason === undefined ? MANUAL : toInteger(body.reason);
  if (reason < 1) {
    return failure(400, "Invalid reason code given", [
      "Reason code needs to be an integer and higher than 0.",
    ]);
  }
  const comments = typeof body.comments === "string" ? body.comments : "";
  const channelId = toInteger(body.channelId) || null;
  const change = addEntry(mautic, contact, { channel, reason, comments, channelId });
  if (change) {
    touch(mautic, contact, actor.author);
    await emit(mautic, actor.author, [
      channelEvent(mautic, contact, channel, change),
      contactEvent(mautic, contact, "mautic.lead_post_save_update", {}),
    ]);
  }
  return ok({ contact: serialiseContact(contact, shapes(mautic), { plain: true }) });
}

export async function removeDoNotContact(call: Call, id: number, channel: string): Promise<Answer> {
  const { mautic, actor } = call;
  const contact = findContact(mautic.state, id);
  if (!contact) return notFound();
  const change = removeEntry(contact, channel);
  if (change) {
    touch(mautic, contact, actor.author);
    await emit(mautic, actor.author, [
      channelEvent(mautic, contact, channel, change),
      contactEvent(mautic, contact, "mautic.lead_post_save_update", {}),
    ]);
  }
  return ok({
    recordFound: change !== null,
    contact: serialiseContact(contact, shapes(mautic), { plain: true }),
  });
}

function shapes(mautic: Mautic) {
  return { fields: mautic.state.fields, users: mautic.users };
}
