import type { SyncContext } from "./work.ts";
import { enrollContact } from "./enroll.ts";

export type CampaignAnswer =
  | { state: "done"; contactId: string; alreadyMember: boolean }
  | { state: "refused"; code: "do_not_contact" | "not_mailable"; message: string };

/**
 * Adds a contact to a campaign because a caller says so: no score or stage is asked for, but
 * somebody who opted out in Mautic or on the lead is not enrolled. The contact is read first, which
 * also tells of a merge. Errors: MauticError (`not_found`: no such contact or campaign).
 */
export async function addToCampaign(
  request: { contactId: number; campaignId: number; correlationId: string },
  context: SyncContext,
): Promise<CampaignAnswer> {
  const { campaignId, correlationId } = request;
  const contact = await context.mautic.getContact(request.contactId, correlationId);
  if (contact.doNotContact.some((entry) => entry.channel === "email" && entry.reason !== 0)) {
    return {
      state: "refused",
      code: "do_not_contact",
      message: `Mautic holds a do-not-contact entry for contact ${contact.id}: it is not enrolled.`,
    };
  }
  const enrolled = await enrollContact(
    { contactId: contact.id, campaignId, leadId: null, correlationId, isNew: false },
    context,
  );
  if (enrolled === "not_mailable") {
    return {
      state: "refused",
      code: "not_mailable",
      message:
        `The email_status of a lead of contact ${contact.id} forbids mail: it is not enrolled.`,
    };
  }
  return {
    state: "done",
    contactId: String(contact.id),
    alreadyMember: enrolled === "already_enrolled",
  };
}
