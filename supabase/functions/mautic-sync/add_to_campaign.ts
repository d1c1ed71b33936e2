import { emailEntries } from "shared/consent/entry.ts";
import { enrollContact, isNotFound } from "./enroll.ts";
import type { SyncContext } from "./work.ts";

export type CampaignAnswer =
  | { state: "done"; contactId: string; alreadyMember: boolean }
  | {
    state: "refused";
    code: "not_mailable" | "busy" | "contact_not_found" | "campaign_not_found";
    message: string;
  };

/**
 * Adds a contact to a campaign because a caller says so: no score or stage is asked for, but
 * somebody who opted out, in Mautic or on a lead, is not enrolled. The contact is read first: that
 * also tells of a merge, and a missing contact from a missing campaign. Errors: MauticError.
 */
export async function addToCampaign(
  { contactId, campaignId, correlationId }: {
    contactId: number;
    campaignId: number;
    correlationId: string;
  },
  context: SyncContext,
): Promise<CampaignAnswer> {
  const refuse = (
    code: Extract<CampaignAnswer, { state: "refused" }>["code"],
    message: string,
  ) => ({
    state: "refused" as const,
    code,
    message,
  });
  let known: number | undefined;
  try {
    const contact = await context.mautic.getContact(contactId, correlationId);
    known = contact.id;
    if (emailEntries(contact.doNotContact).length > 0) {
      return refuse("not_mailable", `Mautic holds a do-not-contact entry for contact ${known}.`);
    }
    const enrolled = await enrollContact(
      { contactId: known, campaignId, leadId: null, correlationId, isNew: false },
      context,
    );
    if (enrolled === "busy") {
      return refuse("busy", `Contact ${known} is being added to campaign ${campaignId} just now.`);
    }
    if (enrolled === "not_mailable") {
      return refuse("not_mailable", `The email_status of a lead of contact ${known} forbids mail.`);
    }
    return {
      state: "done",
      contactId: String(known),
      alreadyMember: enrolled === "already_enrolled",
    };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (known === undefined) {
      return refuse("contact_not_found", `Mautic knows no contact ${contactId}.`);
    }
    await context.database.withdrawEnrollment(context.settings.baseUrl, campaignId, known);
    return refuse("campaign_not_found", `Mautic knows no campaign ${campaignId}.`);
  }
}
