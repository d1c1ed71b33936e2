import { decideConsent } from "shared/consent/decide.ts";
import { isMailable } from "shared/consent/email_status.ts";
import {
  consentComment,
  type DoNotContactEntry,
  emailEntries,
  isOurs,
  manualReason,
} from "shared/consent/entry.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import { bisect } from "./bisect.ts";
import { callFor } from "./call_for.ts";
import { failed } from "./failure.ts";
import {
  type Answered,
  isAnswered,
  type Leased,
  optInOf,
  replace,
  type Unsettled,
  withContact,
  type Work,
} from "./item.ts";
import { type Speakers, speaking } from "./merged.ts";
import type { SyncContext } from "./run.ts";

type Action = "add" | "lift" | "restore" | "none";

/** Our entry was there, and the lead has opted out: a lift may have taken that along. */
function hasOptOutAtRisk(item: LeasedItem): boolean {
  return optInOf(item) !== null &&
    emailEntries(item.do_not_contact).some(isOurs) && !isMailable(item.email_status);
}

/**
 * What has to change, by the entries `entries`. Restore: our own entry is gone, and the opt-out's is not
 * there. Also where consent is denied by now: an entry of ours would be lifted again.
 */
function decide(item: LeasedItem, entries: DoNotContactEntry[]): Action {
  if (hasOptOutAtRisk(item) && emailEntries(entries).length === 0) return "restore";
  return decideConsent({ optIn: optInOf(item), entries }).action;
}

/** Do the entries last seen call for a change? Then the contact has to be read afresh first. */
export function needsConsentChange({ item }: Leased): boolean {
  return hasOptOutAtRisk(item) || decide(item, item.do_not_contact) !== "none";
}

/** Brings do-not-contact in line with the consent of the leads that speak, by the entries just read. */
export async function applyConsent(
  works: Work[],
  speakers: Speakers,
  context: SyncContext,
): Promise<Work[]> {
  const due = speaking(works, speakers).filter(isAnswered).map((work) => ({
    work,
    action: decide(work.item, work.reach.contact.doNotContact),
  }));
  const additions = due.filter(({ action }) => action === "add").map(({ work }) => work);
  const changed = await addAll(additions, context);
  for (const { work, action } of due) {
    if (action === "add" || action === "none") continue;
    changed.push(await changeConsent(work, context));
  }
  return replace(works, changed);
}

/**
 * Does for one item what its consent calls for: as {@link applyConsent}, in requests of its own.
 * Returns the item with the contact as it is then, or settled with what went wrong.
 */
export async function changeConsent<T extends Leased<Answered>>(work: T, context: SyncContext) {
  const { contact } = work.reach;
  switch (decide(work.item, contact.doNotContact)) {
    case "add":
      return await callFor(work, context, "consent", () => add(work, context));
    case "lift":
      return await callFor(work, context, "other", (keep) => lift(work, context, keep));
    case "restore": {
      const status = work.item.email_status;
      return await callFor(work, context, "other", (keep) => restore(work, status, context, keep));
    }
    case "none":
      return work;
  }
}

const ours: DoNotContactEntry = {
  channel: "email",
  reason: manualReason,
  comments: consentComment,
};

async function addAll(additions: Unsettled<Answered>[], context: SyncContext): Promise<Work[]> {
  // Several leads may be one contact by now (a merge): one entry is enough, and no id comes twice.
  const distinct = [...new Map(additions.map((work) => [work.reach.contact.id, work])).values()];
  const size = Math.max(context.run.batchSize, 1);
  const added: Work[] = [];
  for (let start = 0; start < distinct.length; start += size) {
    const batch = distinct.slice(start, start + size);
    added.push(
      ...await bisect(batch, context, {
        step: "consent",
        scope: "request",
        send: (some) => addTo(some, context),
      }),
    );
  }
  return added;
}

async function addTo(batch: Unsettled<Answered>[], context: SyncContext): Promise<Work[]> {
  const [only, ...others] = batch;
  if (only && others.length === 0) return [await add(only, context)];
  const entries = await context.mautic.batchEdit(
    batch.map(({ reach }) => ({ id: reach.contact.id, doNotContact: [ours] })),
    only?.item.correlation_id,
    "fresh",
  );
  return batch.map((work, index) => {
    const entry = entries[index];
    if (entry?.status === "saved") return withContact(work, entry.contact);
    return entry ? failed(work, entry.error, context, null) : work;
  });
}

async function add<T extends Leased<Answered>>(work: T, { mautic }: SyncContext): Promise<T> {
  const { contact } = work.reach;
  const entry = { reason: manualReason, comments: consentComment };
  const correlationId = work.item.correlation_id;
  const doNotContact = await mautic.addDoNotContact(contact.id, entry, correlationId);
  return withContact(work, { ...contact, doNotContact });
}

/**
 * Lifts our own entry, unless a lead of the contact has opted out: Mautic tells of the lifting as of
 * a resubscription of them all. Its removal is unconditional, so the entry is read once more right
 * before, and an opt-out that reached a lead through the webhook in between is put back.
 */
async function lift<T extends Leased<Answered>>(
  work: T,
  context: SyncContext,
  keep: (progress: T) => void,
): Promise<T> {
  const { mautic, database, settings: { baseUrl: origin } } = context;
  const { lead_id: leadId, correlation_id: correlationId } = work.item;
  const contact = await mautic.getContact(work.reach.contact.id, correlationId);
  const fresh = withContact(work, contact);
  keep(fresh);
  const { id, doNotContact: entries } = contact;
  if (decide(work.item, entries) !== "lift") return fresh;
  if (!isMailable(await database.beginLift(origin, id, leadId, entries))) return fresh;
  const doNotContact = await mautic.removeDoNotContact(id, correlationId);
  const status = await database.readEmailStatus(origin, id, leadId);
  if (!isMailable(status)) return await restore(fresh, status, context, keep);
  return withContact(fresh, { ...contact, doNotContact });
}

/** Puts an opt-out or bounce back. Until that is done the contact is remembered with our entry. */
async function restore<T extends Leased<Answered>>(
  work: T,
  status: string | null,
  { mautic, log }: SyncContext,
  keep: (progress: T) => void,
): Promise<T> {
  const { contact } = work.reach;
  const { lead_id: leadId, correlation_id: correlationId } = work.item;
  keep(withContact(work, { ...contact, doNotContact: [ours] }));
  const reason = status === "bounced" ? 2 : 1;
  const comments = `restored: ${status} while consent was being lifted`;
  const doNotContact = await mautic.addDoNotContact(
    contact.id,
    { reason, comments },
    correlationId,
  );
  log.warn("opt_out_restored", { leadId, status });
  return withContact(work, { ...contact, doNotContact });
}
