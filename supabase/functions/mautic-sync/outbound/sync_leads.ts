import { DatabaseError } from "shared/database/call.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import { marketingOptIn } from "shared/lead/lead.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import { applyConsent, mayChangeConsent } from "./consent.ts";
import { applyEnrollment } from "./enroll.ts";
import { failInDatabase, judge } from "./failure.ts";
import { open, type Work } from "./item.ts";
import { lookUp } from "./look_up.ts";
import { byChange } from "./merged.ts";
import { actionOf } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { readContacts } from "./read_contacts.ts";
import { applyRemovals } from "./remove.ts";
import type { SyncContext } from "./run.ts";
import { sendFields } from "./send_fields.ts";
import { applyUtmTags } from "./utm_tags.ts";

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
