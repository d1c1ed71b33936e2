import { z } from "zod";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import type { Call } from "./call.ts";

/** Whether a contact may be mailed, and the lifting of our own do-not-contact entry. */
export function consentCalls(call: Call) {
  return {
    readEmailStatus: (origin: string, contactId: number, leadId: string) =>
      call("read_email_status", {
        p_origin: origin,
        p_contact_id: contactId,
        p_lead_id: leadId,
      }, z.string().nullable()),
    beginLift: (
      origin: string,
      contactId: number,
      leadId: string,
      entries: DoNotContactEntry[],
    ) =>
      call("begin_lift", {
        p_origin: origin,
        p_contact_id: contactId,
        p_lead_id: leadId,
        p_entries: entries,
      }, z.string().nullable()),
  };
}
