import { decideEnrollment } from "shared/campaign/decide_enrollment.ts";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import { isNotFound } from "shared/mautic/transport/errors.ts";
import { backoff } from "../worker/backoff.ts";
import { callFor } from "./call_for.ts";
import { enrollOnce } from "./enroll_once.ts";
import { dead } from "./failure.ts";
import {
  type Answered,
  contactOf,
  isAnswered,
  isUnsettled,
  type Leased,
  replace,
  type Settled,
  type Unsettled,
  withResult,
  type Work,
} from "./item.ts";
import { type Speakers, speaking } from "./merged.ts";
import type { SyncContext } from "./run.ts";

/** Is the lead in the campaign by this sync, and why or why not. */
export interface Enrollment {
  enrolled: boolean;
  reason: string;
  /** What the reason goes by, e.g. `0.97 of 70`. */
  detail?: string;
}

/** An item after its turn; without an enrolment where that failed. */
interface Enrolled {
  work: Work;
  enrollment?: Enrollment;
}

function decide(work: Unsettled, doNotContact: DoNotContactEntry[], { settings }: SyncContext) {
  return decideEnrollment({
    lead: work.fields.payload,
    emailStatus: work.item.email_status,
    doNotContact,
    settings: settings.enrollment,
  });
}

/** Of whoever is looked up, the campaigns of the contact that was known are not the found one's. */
function isEnrolled({ item }: Leased, campaignId: number | null): boolean {
  return campaignId !== null && item.operation !== "look_up" &&
    item.enrolled_campaigns.includes(campaignId);
}

/** Is this lead to be enrolled by what was last seen? Then the contact has to be read afresh. */
export function needsEnrollment(work: Unsettled, context: SyncContext): boolean {
  return decide(work, work.item.do_not_contact, context).enroll &&
    !isEnrolled(work, context.settings.enrollment.campaignId);
}

/**
 * Enrols the leads that speak for their contacts and are due, once per contact and campaign. By lead
 * id, who is enrolled by that, and why or why not.
 */
export async function applyEnrollment(
  works: Work[],
  speakers: Speakers,
  context: SyncContext,
): Promise<{ works: Work[]; enrollments: Map<string, Enrollment> }> {
  const changed: Work[] = [];
  const enrollments = new Map<string, Enrollment>();
  for (const work of speaking(works, speakers).filter(isUnsettled)) {
    const enrolled = await enrollIfDue(work, context);
    changed.push(enrolled.work);
    if (enrolled.enrollment) enrollments.set(work.item.lead_id, enrolled.enrollment);
  }
  return { works: replace(works, changed), enrollments };
}

async function enrollIfDue(work: Unsettled, context: SyncContext): Promise<Enrolled> {
  const { campaignId } = context.settings.enrollment;
  const entries = contactOf(work)?.doNotContact ?? work.item.do_not_contact;
  const { enroll: isDue, reason } = decide(work, entries, context);
  const not = (reason: string): Enrolled => ({ work, enrollment: { enrolled: false, reason } });
  if (reason === "below_threshold") {
    const detail = `${work.fields.payload.score} of ${context.settings.enrollment.threshold}`;
    return { work, enrollment: { enrolled: false, reason, detail } };
  }
  if (!isDue || campaignId === null) return not(reason);
  if (isEnrolled(work, campaignId)) return not("already_enrolled");
  return isAnswered(work) ? await enroll(work, campaignId, context) : not(reason);
}

async function enroll(
  work: Unsettled<Answered>,
  campaignId: number,
  context: SyncContext,
): Promise<Enrolled> {
  const { database, settings, log } = context;
  const { lead_id: leadId, correlation_id: correlationId } = work.item;
  const { reach } = work;
  const contactId = reach.contact.id;
  const isNew = reach.stage === "saved" && reach.created;
  const done = await callFor(work, context, "enroll", async (): Promise<Enrolled> => {
    try {
      const answer = await enrollOnce(
        { contactId, campaignId, leadId, correlationId, isNew },
        context,
      );
      if (answer === "busy") return { work: busy(work, context) };
      if (answer !== "enrolled") return { work, enrollment: { enrolled: false, reason: answer } };
      log.info("enrolled", { leadId, contactId, campaignId });
      return { work, enrollment: { enrolled: true, reason: "eligible" } };
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await database.withdrawEnrollment(settings.baseUrl, campaignId, contactId);
      return { work: await blame(work, contactId, campaignId, context) };
    }
  });
  return "state" in done ? { work: done } : done;
}

function busy(work: Leased, { random }: SyncContext): Settled {
  return withResult(work, {
    result: "retry",
    delay_ms: backoff(work.item.attempt, random),
    error_code: "busy",
    error_message: "Somebody else is adding this contact to the campaign.",
  });
}

/** Mautic answers 404 for a missing campaign as for a contact that was deleted a moment ago. */
async function blame(
  work: Leased,
  contactId: number,
  campaignId: number,
  { mautic }: SyncContext,
): Promise<Settled> {
  try {
    const { id } = await mautic.getContact(contactId, work.item.correlation_id);
    // Merged meanwhile: the next attempt finds the survivor.
    if (id !== contactId) {
      return withResult(work, { result: "retry", delay_ms: 0, error_code: "not_found" });
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // The save was confirmed: a 500 on the way to it leaves nothing in doubt.
    const gone: Leased = {
      ...work,
      reach: { stage: "addressed", contactId },
      mayBeDone: false,
    };
    return withResult(gone, { result: "gone" });
  }
  return withResult(work, dead("campaign_not_found", `Mautic knows no campaign ${campaignId}.`));
}
