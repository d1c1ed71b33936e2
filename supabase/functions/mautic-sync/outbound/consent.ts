import { decideConsent } from "shared/consent/decide.ts";
import { isMailable } from "shared/consent/email_status.ts";
import {
  consentComment,
  type DoNotContactEntry,
  emailEntries,
  isOurs,
  manualReason,
} from "shared/consent/entry.ts";
import { marketingOptIn } from "shared/lead/lead.ts";
import type { MauticContact } from "shared/mautic/contact_schema.ts";
import { guardedInHalves } from "./bisect.ts";
import { fail, guarded } from "./failure.ts";
import { open, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

type Action = "add" | "lift" | "restore" | "none";

/** Our entry was there, and the lead has opted out: a lift may have taken that along. */
function mayHaveLostOptOut({ item }: Work): boolean {
  return marketingOptIn(item.payload) !== undefined &&
    emailEntries(item.do_not_contact).some(isOurs) && !isMailable(item.email_status);
}

/**
 * What has to change, by the entries `entries`. Restore: our own entry is gone, and the opt-out's is not
 * there. Also where consent is denied by now: an entry of ours would be lifted again.
 */
function decide(work: Work, entries: DoNotContactEntry[]): Action {
  if (mayHaveLostOptOut(work) && emailEntries(entries).length === 0) return "restore";
  return decideConsent({ optIn: marketingOptIn(work.item.payload), entries }).action;
}

/** Would the entries last seen call for a change? Then they have to be read afresh first. */
export function mayChangeConsent(work: Work): boolean {
  return mayHaveLostOptOut(work) || decide(work, work.item.do_not_contact) !== "none";
}

/** Brings do-not-contact in line with the leads' consent, by the entries just read. */
export async function applyConsent(works: Work[], context: SyncContext): Promise<void> {
  const additions: Held[] = [];
  const others: [Held, Action][] = [];
  for (const work of works) {
    if (!open(work) || !work.contact) continue;
    const action = decide(work, work.contact.doNotContact);
    const held = { work, contact: work.contact };
    if (action === "add") additions.push(held);
    else others.push([held, action]);
  }
  await addAll(additions, context);
  for (const [held, action] of others) {
    if (action === "lift") await lift(held, context);
    if (action === "restore") {
      await guarded(
        [held.work],
        context,
        () => restore(held, held.work.item.email_status, context),
      );
    }
  }
}

/** An item whose contact Mautic has answered with. */
interface Held {
  work: Work;
  contact: MauticContact;
}

const ours: DoNotContactEntry = {
  channel: "email",
  reason: manualReason,
  comments: consentComment,
};

async function addAll(additions: Held[], context: SyncContext): Promise<void> {
  // Several leads may be one contact by now (a merge): one entry is enough, and no id comes twice.
  const distinct = [...new Map(additions.map((held) => [held.contact.id, held])).values()];
  const size = Math.max(context.run.batchSize, 1);
  for (let start = 0; start < distinct.length; start += size) {
    await add(distinct.slice(start, start + size), context);
  }
}

async function add(batch: Held[], context: SyncContext): Promise<void> {
  const { mautic } = context;
  const heldBy = new Map(batch.map((held) => [held.work, held]));
  await guardedInHalves([...heldBy.keys()], context, async (works) => {
    const batch = works.map((work) => heldBy.get(work)!);
    const [first] = batch;
    if (!first) return;
    const correlationId = first.work.item.correlation_id;
    if (batch.length === 1) {
      const { contact, work } = first;
      const entry = { reason: manualReason, comments: consentComment };
      const doNotContact = await mautic.addDoNotContact(contact.id, entry, correlationId);
      work.contact = { ...contact, doNotContact };
      return;
    }
    const entries = await mautic.batchEdit(
      batch.map(({ contact }) => ({ id: contact.id, doNotContact: [ours] })),
      correlationId,
      "fresh",
    );
    for (const [index, { work }] of batch.entries()) {
      const entry = entries[index];
      if (entry?.status === "saved") work.contact = entry.contact;
      else if (entry) fail(work, entry.error, context);
    }
  }, "consent");
}

/**
 * Lifts our own entry, unless a lead of the contact has opted out: Mautic tells of the lifting as of
 * a resubscription of them all. Its removal is unconditional, so the entry is read once more right
 * before, and an opt-out that reached a lead through the webhook in between is put back.
 */
async function lift({ work, contact }: Held, context: SyncContext): Promise<void> {
  const { mautic, database, settings } = context;
  const { lead_id: leadId, correlation_id: correlationId } = work.item;
  await guarded([work], context, async () => {
    const fresh = await mautic.getContact(contact.id, correlationId);
    work.contact = fresh;
    if (decide(work, fresh.doNotContact) !== "lift") return;
    const { baseUrl } = settings;
    if (!isMailable(await database.beginLift(baseUrl, fresh.id, leadId, fresh.doNotContact))) {
      return;
    }
    const doNotContact = await mautic.removeDoNotContact(fresh.id, correlationId);
    const status = await database.readEmailStatus(baseUrl, fresh.id, leadId);
    if (!isMailable(status)) return await restore({ work, contact: fresh }, status, context);
    work.contact = { ...fresh, doNotContact };
  });
}

/** Puts an opt-out or bounce back. Until that is done the contact is remembered with our entry. */
async function restore(
  { work, contact }: Held,
  status: string | null,
  { mautic, log }: SyncContext,
): Promise<void> {
  const reason = status === "bounced" ? 2 : 1;
  const comments = `restored: ${status} while consent was being lifted`;
  work.contact = { ...contact, doNotContact: [ours] };
  const entry = { reason, comments };
  const correlationId = work.item.correlation_id;
  const doNotContact = await mautic.addDoNotContact(contact.id, entry, correlationId);
  work.contact = { ...contact, doNotContact };
  log.warn("opt_out_restored", { leadId: work.item.lead_id, status });
}
