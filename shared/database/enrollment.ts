import { z } from "zod";
import type { Call } from "./call.ts";

const intention = z.enum(["new", "intended", "confirmed", "not_mailable", "busy"]);

/** Who was put into which campaign, and who is at it. */
export function enrollmentCalls(call: Call) {
  const nothing = z.unknown();

  return {
    intendEnrollment: (
      origin: string,
      campaignId: number,
      contactId: number,
      leadId: string | null,
      correlationId: string,
      holdMs: number,
    ) =>
      call("intend_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
        p_lead_id: leadId,
        p_correlation_id: correlationId,
        p_hold_ms: holdMs,
      }, intention),
    confirmEnrollment: (origin: string, campaignId: number, contactId: number) =>
      call("confirm_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
      }, nothing),
    releaseEnrollment: (origin: string, campaignId: number, contactId: number) =>
      call("release_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
      }, nothing),
    withdrawEnrollment: (origin: string, campaignId: number, contactId: number) =>
      call("withdraw_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
      }, nothing),
  };
}
