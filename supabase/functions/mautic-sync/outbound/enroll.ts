import { decideEnrollment } from "shared/campaign/decide_enrollment.ts";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import { isNotFound } from "shared/mautic/transport/errors.ts";
import { backoff } from "../worker/backoff.ts";
import { enrollContact } from "./enroll_contact.ts";
import { guarded } from "./failure.ts";
import { die, open, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

function decide(work: Work, doNotContact: DoNotContactEntry[], { settings }: SyncContext) {
  return decideEnrollment({
    lead: work.lead!,
    emailStatus: work.item.email_status,
    doNotContact,
    settings: settings.enrollment,
  });
}

function isEnrolled(work: Work, campaignId: number | null): boolean {
  return campaignId !== null && work.item.enrolled_campaigns.includes(campaignId);
}

/** Would this lead be enrolled by what was last seen? Then the contact has to be read afresh. */
export function mayEnroll(work: Work, context: SyncContext): boolean {
  return decide(work, work.item.do_not_contact, context).enroll &&
    !isEnrolled(work, context.settings.enrollment.campaignId);
}

/** Enrols those who are due, once per contact and campaign, and notes why or why not. */
export async function applyEnrollment(works: Work[], context: SyncContext): Promise<void> {
  const { campaignId } = context.settings.enrollment;
  for (const work of works) {
    if (!open(work) || !work.lead) continue;
    const entries = work.contact?.doNotContact ?? work.item.do_not_contact;
    const decision = decide(work, entries, context);
    work.enrollmentReason = decision.reason;
    work.enrolled = false;
    if (!decision.enroll || campaignId === null) continue;
    if (isEnrolled(work, campaignId)) {
      work.enrollmentReason = "already_enrolled";
      continue;
    }
    if (work.contact) await enroll(work, work.contact.id, campaignId, context);
  }
}

async function enroll(
  work: Work,
  contactId: number,
  campaignId: number,
  context: SyncContext,
): Promise<void> {
  const { database, settings, log } = context;
  const { lead_id, correlation_id } = work.item;
  await guarded([work], context, async () => {
    try {
      const answer = await enrollContact(
        {
          contactId,
          campaignId,
          leadId: lead_id,
          correlationId: correlation_id,
          isNew: work.created,
        },
        context,
      );
      work.enrolled = answer === "enrolled";
      if (answer === "busy") {
        work.result = {
          result: "retry",
          delay_ms: backoff(work.item.attempt, context.random, undefined),
          error_code: "busy",
          error_message: "Somebody else is adding this contact to the campaign.",
        };
        return;
      }
      if (answer !== "enrolled") work.enrollmentReason = answer;
      else log.info("enrolled", { leadId: lead_id, contactId, campaignId });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await database.withdrawEnrollment(settings.baseUrl, campaignId, contactId);
      await blame(work, contactId, campaignId, context);
    }
  }, "enroll");
}

/** Mautic answers 404 for a missing campaign as for a contact that was deleted a moment ago. */
async function blame(
  work: Work,
  contactId: number,
  campaignId: number,
  { mautic }: SyncContext,
): Promise<void> {
  try {
    const { id } = await mautic.getContact(contactId, work.item.correlation_id);
    if (id !== contactId) {
      // Merged meanwhile: the next attempt finds the survivor.
      work.result = { result: "retry", delay_ms: 0, error_code: "not_found" };
      return;
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    work.contactId = contactId;
    work.contact = undefined;
    work.result = { result: "gone" };
    return;
  }
  die(
    work,
    "campaign_not_found",
    `Mautic knows no campaign ${campaignId}. Set MAUTIC_CAMPAIGN_HIGH_VALUE to the id of a campaign, then replay the lead.`,
  );
}
