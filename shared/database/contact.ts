import { z } from "zod";
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
  };
}
