import { type DoNotContactEntry, manualReason } from "shared/consent/entry.ts";
import type { Api } from "shared/mautic/transport/request.ts";
import { contactAnswer } from "./contact_schema.ts";

/** The do-not-contact entry of a contact's e-mail channel. */
export function doNotContactCalls(api: Api) {
  return {
    /**
     * Sets the do-not-contact entry of the e-mail channel. Reason 3 rests on having read that
     * there is none and is not repeated; 1 and 2 put an opt-out back and are. Returns the entries
     * as they are then: one that stood already may stay.
     */
    async addDoNotContact(
      id: number,
      { reason, comments }: { reason: number; comments: string },
      correlationId?: string,
    ): Promise<DoNotContactEntry[]> {
      const request = {
        method: "POST",
        path: `/api/contacts/${id}/dnc/email/add`,
        body: { reason, comments },
        policy: reason === manualReason ? "fresh" : "save",
        correlationId,
      } as const;
      return (await api(request, contactAnswer)).data.contact.doNotContact;
    },

    /**
     * Removes the entry of the e-mail channel, whatever it is: read it right before. Returns the
     * entries that are left.
     */
    async removeDoNotContact(id: number, correlationId?: string): Promise<DoNotContactEntry[]> {
      const path = `/api/contacts/${id}/dnc/email/remove`;
      const request = { method: "POST", path, policy: "fresh", correlationId } as const;
      return (await api(request, contactAnswer)).data.contact.doNotContact;
    },
  };
}
