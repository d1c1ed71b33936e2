import { confirmAnswer } from "shared/contact/confirm.ts";
import { contactDelta } from "shared/contact/delta.ts";
import { DatabaseError } from "shared/database/call.ts";
import type { LeasedItem, Outcome } from "shared/database/queue.ts";
import { marketingOptIn } from "shared/lead/lead.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import { applyConsent, mayChangeConsent } from "./consent.ts";
import { applyEnrollment, mayEnroll } from "./enroll.ts";
import { actionOf, failInDatabase, judge, outcomeOf } from "./failure.ts";
import { lookUp, readContacts } from "./read.ts";
import { applyRemovals } from "./remove.ts";
import { sendCreates, sendEdits } from "./send.ts";
import { applyUtmTags, mayTag } from "./utm_tags.ts";
import { hasFieldsToSend, open, prepare, type SyncContext, type Work } from "./work.ts";

/**
 * Brings leased leads to Mautic: fields, then consent, then enrolment. The one way there is, for
 * the queue and for direct calls alike. Never raises for what Mautic or a lead does: each item
 * comes back with what became of it, also where the database failed on its way.
 */
export async function syncLeads(items: LeasedItem[], context: SyncContext): Promise<Work[]> {
  // Whoever failed before goes last: a few on which Mautic fails are not to look like its failing on all.
  const all = items.toSorted((a, b) => a.attempt - b.attempt).map((item) => prepare(item, context));
  await applyRemovals(all.filter((work) => work.item.operation === "remove"), context);
  const works = all.filter((work) => work.item.operation !== "remove");
  await lookUp(works.filter((work) => open(work) && work.item.operation === "look_up"), context);
  await sendFields(works, context);
  const newest = newestOfContacts(works.filter(open));
  const speakers = new Set(newest.values());
  const speaking = works.filter((work) => speakers.has(work));
  await applyConsent(speaking, context);
  for (const work of works) await optOutThoughRefused(work, context);
  await applyUtmTags(speaking, context);
  await applyEnrollment(speaking, context);
  works.forEach((work) => adoptEntries(work, newest));
  for (const work of all) {
    judge(work, context);
    report(work, context);
  }
  return all;
}

/**
 * The newest of the leads of each contact, by its id: whose consent counts, and who may be enrolled.
 * A claim holds one lead of a contact; that there are more is found out where Mautic merged them.
 */
function newestOfContacts(works: Work[]): Map<number, Work> {
  const ids = works.toSorted(byChange).map((work) => [work.contact?.id ?? work.contactId, work]);
  return new Map(ids.filter((entry): entry is [number, Work] => entry[0] !== undefined));
}

/**
 * We or Mautic refuse a value: the lead waits for a person, a withdrawn consent does not. Not where
 * a newer lead speaks for the contact.
 */
async function optOutThoughRefused(work: Work, context: SyncContext): Promise<void> {
  const { result, item } = work;
  if (result?.result !== "dead" || marketingOptIn(item.payload) !== false || item.superseded) {
    return;
  }
  if (work.contactId === undefined || !mayChangeConsent(work)) return;
  work.result = undefined;
  if (!work.contact) await readContacts([work], context);
  try {
    if (!await isAnothers(work, context)) await applyConsent([work], context);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    failInDatabase([work], error, context);
  }
  // What failed now is tried again, and the refusal comes again.
  if (open(work)) work.result = result;
}

/** Found by an address that the lead had once: the contact may be another lead's by now. */
async function isAnothers(work: Work, { database, settings }: SyncContext): Promise<boolean> {
  const { contactId, contact, item } = work;
  const address = contact ? contactAddress(contact) : "";
  if (contactId === undefined || contactId === item.contact_id || address === work.address) {
    return false;
  }
  return await database.contactInUse(settings.baseUrl, contactId, address || null);
}

/** What another lead of the same contact has brought about is what this one's answer would show. */
function adoptEntries(work: Work, newest: Map<number, Work>): void {
  const entries = work.contact && newest.get(work.contact.id)?.contact?.doNotContact;
  if (entries) work.contact = { ...work.contact!, doNotContact: entries };
}

function report(work: Work, { log }: SyncContext): void {
  const { item, contact, result, enrollmentReason } = work;
  const values = {
    correlationId: item.correlation_id,
    leadId: item.lead_id,
    contactId: contact?.id ?? item.contact_id,
  };
  if (result && result.result !== "done") {
    const { result: outcome, error_code: code, error_message: reason } = result;
    log.warn("lead_not_synced", { ...values, outcome, code, reason, attempt: item.attempt });
  } else {
    log.info("lead_synced", { ...values, action: actionOf(work), enrollment: enrollmentReason });
  }
}

async function sendFields(works: Work[], context: SyncContext): Promise<void> {
  const known = works.filter((work) => open(work) && work.contactId !== undefined);
  const edits = known.filter(hasFieldsToSend);
  const onlyRead = known.filter((work) =>
    !hasFieldsToSend(work) &&
    (mayChangeConsent(work) || mayEnroll(work, context) || mayTag(work, context))
  );
  // A single edit needs no reading first: its own answer tells of a merge. Not so beside another
  // lead, which may turn out to be the same contact.
  const isBesideOthers = edits.length + onlyRead.length > 1;
  await readContacts(isBesideOthers ? [...edits, ...onlyRead] : onlyRead, context);

  // One id may be two leads': merged since, or found by the address somebody gave it in Mautic.
  // Twice in a batch it would be doubled, so the second goes in a request of its own.
  const batch = new Map<number, Work>();
  const alone: Work[] = [];
  const moved = [...edits, ...onlyRead].filter((work) => open(work) && isMerged(work));
  moved.forEach(startOver);
  for (const work of new Set([...edits.filter(open), ...moved])) {
    const id = work.contact?.id ?? work.contactId;
    if (id === undefined || batch.has(id) || id !== work.contactId) alone.push(work);
    else batch.set(id, work);
  }
  await sendEdits([...batch.values()], context);
  for (const work of alone.sort(byChange)) await sendEdits([work], context);
  // Found to be one contact by a merge: the newest comes last.
  for (const work of new Set([...batch.values(), ...onlyRead])) {
    const isOverwritten = alone.some((other) =>
      other.sent && other.contact?.id === work.contact?.id && byChange(other, work) < 0
    );
    if (!open(work) || !isOverwritten) continue;
    startOver(work);
    await sendEdits([work], context);
  }
  for (const work of edits) {
    if (!open(work) || moved.includes(work) || !isMerged(work)) continue;
    startOver(work);
    await sendEdits([work], context);
  }
  await sendCreates(works.filter((work) => open(work) && work.contactId === undefined), context);
}

/** Whose lead changed earlier comes first. */
function byChange(a: Work, b: Work): number {
  return Date.parse(a.item.changed_at) - Date.parse(b.item.changed_at);
}

/** Mautic answered with the survivor of a merge. */
function isMerged({ contact, contactId }: Work): boolean {
  return contact !== undefined && contact.id !== contactId;
}

/** What was known is known of the merged-away contact: the survivor gets the whole lead. */
function startOver(work: Work): void {
  work.item = { ...work.item, snapshot: {}, refused: {} };
  work.delta = contactDelta(work.desired, work.item);
  work.sent = false;
}

/** The outcome of an item for settle: its result and what Mautic's answer confirmed. */
export function outcome(work: Work, { log }: SyncContext): Outcome {
  const { item, contact } = work;
  if (item.operation === "remove") return outcomeOf(work, {});
  const shown = showsLead(work) ? { shows_lead: true } : {};
  if (!contact) {
    // Superseded, or nothing to send: the link is the news, or whom the contact shows since when.
    const isDone = open(work) || work.result?.result === "done";
    return outcomeOf(
      work,
      isDone && item.contact_id !== null
        ? {
          contact_id: item.contact_id,
          lead_address: work.address,
          changed_at: item.changed_at,
          ...shown,
        }
        : {},
    );
  }
  const asked = work.contactId !== undefined && work.contactId !== contact.id
    ? { asked_contact_id: work.contactId }
    : {};
  const answered: Partial<Outcome> = {
    contact_id: contact.id,
    ...asked,
    address: String(contact.fields["email"] ?? work.address),
    lead_address: work.address,
    do_not_contact: contact.doNotContact,
    changed_at: item.changed_at,
    ...shown,
  };
  if (!work.sent) return outcomeOf(work, answered);

  const confirmed = confirmAnswer(work.delta, contact.fields);
  for (const { alias, got } of confirmed.notTaken) {
    // Said once: the refused value is remembered and not sent again.
    log.warn("field_not_taken", { leadId: item.lead_id, contactId: contact.id, field: alias, got });
  }
  const stillRefused = Object.fromEntries(
    Object.entries(item.refused).filter(([alias]) => !(alias in confirmed.snapshot)),
  );
  const snapshot = { ...item.snapshot, ...confirmed.snapshot };
  const filled = Object.keys(work.desired).filter((alias) => work.desired[alias] !== null);
  return outcomeOf(work, {
    ...answered,
    snapshot,
    refused: { ...stillRefused, ...confirmed.refused },
    filled,
  });
}

/** Does the contact show this very lead: sent just now, or the same as what was confirmed? */
function showsLead(work: Work): boolean {
  if (work.sent) return true;
  return work.lead !== undefined && !work.item.superseded && !hasFieldsToSend(work);
}
