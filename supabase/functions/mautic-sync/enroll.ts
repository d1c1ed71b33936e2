import { decideEnrollment } from "shared/campaign/decide_enrollment.ts";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { backoff } from "./backoff.ts";
import { guarded } from "./failure.ts";
import { itemLeaseMs, outlasts } from "./lease.ts";
import { die, open, type SyncContext, type Work } from "./work.ts";

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

export interface Enrollment {
  contactId: number;
  campaignId: number;
  leadId: string | null;
  correlationId: string;
  /** The contact was created a moment ago by us: it can be in no campaign yet. */
  isNew: boolean;
}

/**
 * Adds a contact to a campaign, once. Mautic answers success to everything and starts the flow
 * again where the campaign allows it, so membership is read first unless the contact is new, and
 * `busy` is the answer while another request is at the same.
 * Errors: {@link MauticError}; `not_found` when there is no such campaign or contact.
 */
export async function enrollContact(
  { contactId, campaignId, leadId, correlationId, isNew }: Enrollment,
  { mautic, database, settings, clock }: SyncContext,
): Promise<"enrolled" | "already_enrolled" | "not_mailable" | "busy"> {
  const origin = settings.baseUrl;
  // Time for the membership to be read, with retries; the adding itself starts only within the hold.
  const holdMs = 2 * itemLeaseMs(settings);
  const hold = { until: clock.now() + holdMs };
  const intention = await database.intendEnrollment(
    origin,
    campaignId,
    contactId,
    leadId,
    correlationId,
    holdMs,
  );
  if (intention === "not_mailable" || intention === "busy") return intention;
  if (intention === "confirmed") return "already_enrolled";
  try {
    if (intention === "intended" || !isNew) {
      const memberships = await mautic.contactCampaigns(contactId, correlationId);
      if (memberships.includes(campaignId)) {
        await database.confirmEnrollment(origin, campaignId, contactId);
        // What an attempt of ours that lost its answer did is ours.
        return intention === "intended" ? "enrolled" : "already_enrolled";
      }
    }
    if (!outlasts(hold, settings.requestTimeoutMs, settings, clock)) {
      throw new MauticError("lease_too_short", "Not sent: reading the membership took too long");
    }
    await mautic.addToCampaign(campaignId, contactId, correlationId);
  } catch (error) {
    // Not after an answer that is lost: Mautic may still be at it.
    if (error instanceof MauticError && !error.ambiguous) {
      await database.releaseEnrollment(origin, campaignId, contactId);
    }
    throw error;
  }
  await database.confirmEnrollment(origin, campaignId, contactId);
  return "enrolled";
}

/** Is this the error for a campaign or contact that is not there? */
export function isNotFound(error: unknown): error is MauticError {
  return error instanceof MauticError && error.code === "not_found";
}
