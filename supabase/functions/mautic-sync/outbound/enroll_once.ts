import { MauticError } from "shared/mautic/transport/errors.ts";
import { itemLeaseMs, outlasts } from "../worker/lease.ts";
import type { SyncContext } from "./run.ts";

export interface EnrollmentRequest {
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
 *
 * @throws {MauticError} where Mautic fails; `not_found`: there is no such campaign or contact
 * @throws {DatabaseError} where the database fails
 */
export async function enrollOnce(
  { contactId, campaignId, leadId, correlationId, isNew }: EnrollmentRequest,
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
