import {
  consentComment,
  decideConsent,
  type DoNotContactEntry,
  manualReason,
} from "../../../shared/consent_decider.ts";
import { isMailable } from "../../../shared/enrollment_decider.ts";
import { guarded } from "./failure.ts";
import { open, type SyncContext, type Work } from "./work.ts";

function decide(work: Work, entries: DoNotContactEntry[]) {
  return decideConsent({ optIn: work.lead?.consent?.marketing_opt_in, entries });
}

/** Would the entries last seen call for a change? Then they have to be read afresh first. */
export function mayChangeConsent(work: Work): boolean {
  return decide(work, work.item.do_not_contact).action !== "none";
}

/** Brings do-not-contact in line with the leads' consent, by the entries just read. */
export async function applyConsent(works: Work[], context: SyncContext): Promise<void> {
  const decided = works.filter((work) => open(work) && work.contact).map((work) => ({
    work,
    contact: work.contact!,
    action: decide(work, work.contact!.doNotContact).action,
  }));
  await add(decided.filter(({ action }) => action === "add").map(({ work }) => work), context);
  for (const { work, action } of decided) {
    if (action === "lift") await lift(work, context);
  }
}

async function add(works: Work[], context: SyncContext): Promise<void> {
  const { mautic, run } = context;
  const ours: DoNotContactEntry = {
    channel: "email",
    reason: manualReason,
    comments: consentComment,
  };
  const batchSize = Math.max(run.batchSize, 1);
  for (let start = 0; start < works.length; start += batchSize) {
    const batch = works.slice(start, start + batchSize);
    await guarded(batch, context, async () => {
      if (batch.length === 1) {
        const [only] = batch;
        await mautic.addDoNotContact(only!.contact!.id, {
          reason: manualReason,
          comments: consentComment,
        }, only!.item.correlation_id);
        only!.contact = { ...only!.contact!, doNotContact: [...only!.contact!.doNotContact, ours] };
        return;
      }
      const entries = await mautic.batchEdit(
        batch.map((work) => ({ id: work.contact!.id, doNotContact: [ours] })),
        batch[0]!.item.correlation_id,
      );
      for (const [index, work] of batch.entries()) {
        const entry = entries[index]!;
        if (entry.status === "failed") throw entry.error;
        work.contact = entry.contact;
      }
    });
  }
}

/**
 * Lifts our own entry. Mautic's removal is unconditional, so the entry is read once more right
 * before, and an opt-out that reached the lead through the webhook in between is put back.
 */
async function lift(work: Work, context: SyncContext): Promise<void> {
  const { mautic, database, log } = context;
  const correlationId = work.item.correlation_id;
  await guarded([work], context, async () => {
    const fresh = await mautic.getContact(work.contact!.id, correlationId);
    work.contact = fresh;
    if (decide(work, fresh.doNotContact).action !== "lift") return;
    if (!isMailable(await database.readEmailStatus(work.item.lead_id))) return;
    await mautic.removeDoNotContact(fresh.id, correlationId);
    const status = await database.readEmailStatus(work.item.lead_id);
    if (isMailable(status)) {
      work.contact = {
        ...fresh,
        doNotContact: fresh.doNotContact.filter((entry) => entry.channel !== "email"),
      };
      return;
    }
    const reason = status === "bounced" ? 2 : 1;
    const comments = `restored: ${status} while consent was being lifted`;
    await mautic.addDoNotContact(fresh.id, { reason, comments }, correlationId);
    work.contact = { ...fresh, doNotContact: [{ channel: "email", reason, comments }] };
    log.warn("opt_out_restored", { leadId: work.item.lead_id, status });
  });
}
