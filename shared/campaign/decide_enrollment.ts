import { isMailable } from "shared/consent/email_status.ts";
import { type DoNotContactEntry, emailEntries } from "shared/consent/entry.ts";
import type { LeadPayload } from "shared/lead/payload.ts";

export interface EnrollmentSettings {
  enabled: boolean;
  /** The lowest score that enrols. */
  threshold: number;
  campaignId: number | null;
  /** CRM stages that enrol; compared without case. */
  stages: string[];
}

export interface EnrollmentDecision {
  enroll: boolean;
  reason:
    | "disabled"
    | "no_campaign"
    | "no_score"
    | "below_threshold"
    | "stage_not_eligible"
    | "no_consent"
    | "not_mailable"
    | "do_not_contact"
    | "eligible";
}

/**
 * Is this lead to be in the campaign? Score at or above the threshold, an eligible stage, marketing
 * consent given, and mailable both by the lead's email_status and by Mautic's do-not-contact list
 * (an opt-out older than our link is known there and nowhere else). Pure and total.
 *
 * @param emailStatus The lead's own `email_status`; null: nothing was heard.
 * @param doNotContact The contact's do-not-contact entries, of all channels.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decideEnrollment } from "shared/campaign/decide_enrollment.ts";
 *
 * const settings = { enabled: true, threshold: 70, campaignId: 1, stages: ["qualified"] };
 * const lead = { stage: "Qualified", score: 85, consent: true };
 * const known = { lead, emailStatus: null, doNotContact: [], settings };
 * assert.deepEqual(decideEnrollment(known), { enroll: true, reason: "eligible" });
 * assert.deepEqual(decideEnrollment({ ...known, emailStatus: "bounced" }), {
 *   enroll: false,
 *   reason: "not_mailable",
 * });
 * ```
 */
export function decideEnrollment(
  { lead, emailStatus, doNotContact, settings }: {
    lead: Pick<LeadPayload, "stage" | "score" | "consent">;
    emailStatus: string | null;
    doNotContact: DoNotContactEntry[];
    settings: EnrollmentSettings;
  },
): EnrollmentDecision {
  const no = (reason: EnrollmentDecision["reason"]) => ({ enroll: false, reason });
  const { score, consent } = lead;
  const stage = lead.stage?.trim().toLowerCase() ?? "";
  const stages = settings.stages.map((each) => each.trim().toLowerCase());

  if (!settings.enabled) return no("disabled");
  if (settings.campaignId === null) return no("no_campaign");
  if (score === null || Number.isNaN(score)) return no("no_score");
  if (!(score >= settings.threshold)) return no("below_threshold");
  if (stage === "" || !stages.includes(stage)) return no("stage_not_eligible");
  if (consent !== true) return no("no_consent");
  if (!isMailable(emailStatus)) return no("not_mailable");
  if (emailEntries(doNotContact).length > 0) return no("do_not_contact");
  return { enroll: true, reason: "eligible" };
}
