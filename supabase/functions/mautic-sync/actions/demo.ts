import type { Answers } from "shared/http/answer.ts";
import { maskAddress, validateAddress } from "shared/lead/address.ts";
import { parseLead } from "shared/lead/lead.ts";
import type { Log } from "shared/runtime/log.ts";
import type { SupersededSetting } from "shared/settings/superseded.ts";
import type { SyncRequest } from "../request.ts";
import { malformedLead } from "./refusals.ts";

/**
 * Without Mautic settings: every request is checked and logged, nothing is called, and the answer
 * says so. `drain` leaves the queue alone, because functions are often deployed before their
 * secrets: what is queued then has to wait, not to vanish.
 */
export function demoActions(
  request: SyncRequest,
  { answers, log, superseded }: { answers: Answers; log: Log; superseded: SupersededSetting[] },
): Response {
  switch (request.action) {
    case "ping":
      return answers.ok({
        demo: true,
        mautic: null,
        tokenCached: false,
        settings: null,
        supersededSettings: superseded,
      });
    case "drain":
    case "reconcile_consent":
      log.info(`demo_${request.action}`, { note: "the queue waits for Mautic settings" });
      return answers.ok({ demo: true, accepted: false }, 202);
    case "add_to_campaign":
      log.info("demo_add_to_campaign", {
        contactId: request.mauticContactId,
        campaignId: request.campaignId,
      });
      return answers.ok({
        demo: true,
        success: true,
        contactId: String(request.mauticContactId),
        campaignId: String(request.campaignId),
      });
    case "upsert_contact": {
      const parsed = parseLead(request.payload);
      if (!parsed.ok) return answers.fail(...malformedLead(parsed.issues));
      const address = validateAddress(parsed.lead.contact.email);
      if (!address.ok) {
        return answers.fail("invalid_email", `payload.contact.email ${address.reason}.`);
      }
      log.info("demo_upsert_contact", {
        leadId: parsed.lead.id,
        address: maskAddress(address.address),
      });
      return answers.ok({ demo: true, success: true, contactId: null, action: "created" });
    }
  }
}
