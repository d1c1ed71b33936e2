import { confirmAnswer } from "shared/contact/confirm.ts";
import type { Outcome } from "shared/database/outcome.ts";
import type { Log } from "shared/runtime/log.ts";
import type { Enrollment } from "./enroll.ts";
import {
  askedId,
  contactOf,
  filledAliases,
  hasFieldsToSend,
  type Leased,
  type Work,
} from "./item.ts";

/**
 * The outcome of an item for settle: its result, what Mautic's answers confirmed, and what came of
 * its enrolment, where that is on.
 */
export function outcome(work: Work, log: Log, enrollment?: Enrollment): Outcome {
  const result = work.state === "settled" ? work.result : { result: "done" as const };
  const isDone = result.result === "done";
  const asked = askedId(work);
  return {
    lead_id: work.item.lead_id,
    ...(work.item.operation === "remove" ? {} : recorded(work, isDone, log)),
    ...result,
    ...(work.mayBeDone && work.reach.stage !== "saved" && !isDone ? { may_be_done: true } : {}),
    ...(isDone ? { action: actionOf(work) } : {}),
    ...(isDone && enrollment && enrollment.reason !== "disabled"
      ? { enrollment: toldOf(enrollment) }
      : {}),
    ...(result.result === "gone" && asked !== undefined ? { asked_contact_id: asked } : {}),
  };
}

/** As the history of the lead tells it: `enrolled`, or why not, e.g. `below_threshold: 0.97 of 70`. */
function toldOf({ enrolled, reason, detail }: Enrollment): string {
  if (enrolled) return "enrolled";
  return detail === undefined ? reason : `${reason}: ${detail}`;
}

/** What a done item came to. */
export function actionOf({ reach, ...work }: Work): NonNullable<Outcome["action"]> {
  if (work.state === "settled" && work.result.action) return work.result.action;
  if (reach.stage !== "saved") return "unchanged";
  return reach.created ? "created" : "updated";
}

/** What is to be known of the contact from now on. */
function recorded(work: Work, isDone: boolean, log: Log): Partial<Outcome> {
  const { item, address, reach, fields } = work;
  const contact = contactOf(work);
  const shown = showsLead(work) ? { shows_lead: true } : {};
  // A lead that has no address any more is linked as it was: nothing of it is on the contact.
  const asLead = address === "" ? {} : { lead_address: address, changed_at: item.changed_at };
  if (!contact) {
    // Superseded, or nothing to send: the link is the news, or whom the contact shows since when.
    if (!isDone || item.contact_id === null || address === "") return {};
    return { contact_id: item.contact_id, ...asLead, ...shown };
  }
  const asked = askedId(work);
  const answered: Partial<Outcome> = {
    contact_id: contact.id,
    ...(asked !== undefined && asked !== contact.id ? { asked_contact_id: asked } : {}),
    address: String(contact.fields["email"] ?? address),
    do_not_contact: contact.doNotContact,
    ...asLead,
    ...shown,
  };
  if (reach.stage !== "saved" || fields === null) return answered;

  const { delta, desired, known } = fields;
  const confirmed = confirmAnswer(delta, contact.fields);
  for (const { alias, got } of confirmed.notTaken) {
    // Said once: the refused value is remembered and not sent again.
    log.warn("field_not_taken", { leadId: item.lead_id, contactId: contact.id, field: alias, got });
  }
  const stillRefused = Object.fromEntries(
    Object.entries(known.refused).filter(([alias]) => !(alias in confirmed.snapshot)),
  );
  return {
    ...answered,
    snapshot: { ...known.snapshot, ...confirmed.snapshot },
    refused: { ...stillRefused, ...confirmed.refused },
    filled: [
      // What the lead says nothing of by now is still of its filling.
      ...known.filled.filter((alias) => !Object.hasOwn(desired, alias)),
      ...filledAliases(desired),
    ],
  };
}

/** Does the contact show this very lead: sent just now, or the same as what was confirmed? */
function showsLead({ item, reach, fields }: Leased): boolean {
  if (reach.stage === "saved") return true;
  return fields !== null && !item.superseded && !item.withdraws && reach.stage !== "prepared" &&
    !hasFieldsToSend(fields);
}
