import { z } from "zod";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import type { Call } from "./call.ts";

/** What is known of a contact and of the leads that are it. */
export function contactCalls(call: Call) {
  return {
    contactInUse: (origin: string, contactId: number, address: string | null) =>
      call("contact_in_use", {
        p_origin: origin,
        p_contact_id: contactId,
        p_address: address,
      }, z.boolean()),
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
