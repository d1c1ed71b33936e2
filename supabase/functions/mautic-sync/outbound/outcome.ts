import { confirmAnswer } from "shared/contact/confirm.ts";
import type { Outcome } from "shared/database/queue.ts";
import { hasFieldsToSend, open, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

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

/** What a done item came to. */
export function actionOf(work: Work): NonNullable<Outcome["action"]> {
  return work.removal?.action ?? (work.created ? "created" : work.sent ? "updated" : "unchanged");
}

/** What settle is told of an item. */
export function outcomeOf(work: Work, recorded: Partial<Outcome>): Outcome {
  const result = work.result ?? { result: "done" as const };
  return {
    lead_id: work.item.lead_id,
    ...recorded,
    ...result,
    ...(work.mayBeDone && !work.sent && result.result !== "done" ? { may_be_done: true } : {}),
    ...(result.result === "done" ? { action: actionOf(work), ...work.removal } : {}),
    ...(result.result === "gone" && work.contactId !== undefined
      ? { asked_contact_id: work.contactId }
      : {}),
  };
}
