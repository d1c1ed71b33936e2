import { emailEntries } from "shared/consent/entry.ts";
import type { Failure } from "shared/http/answer.ts";
import { isNotFound } from "shared/mautic/transport/errors.ts";
import type { ActionContext } from "../connect.ts";
import { connectMautic } from "../connect_mautic.ts";
import { enrollOnce } from "../outbound/enroll_once.ts";
import type { SyncContext } from "../outbound/run.ts";
import { answerMauticErrors, notSending } from "./refusals.ts";

/** Adds a contact to a campaign because a caller says so: no score or stage is asked for. */
export async function addToCampaign(
  request: { mauticContactId: number; campaignId: number },
  context: ActionContext,
): Promise<Response> {
  const { answers, database, settings, log } = context;
  const { mauticContactId: contactId, campaignId } = request;
  const { correlationId } = answers;
  return await answerMauticErrors(context, async () => {
    const refusal = notSending(await database.sendingState(settings.baseUrl));
    if (refusal) return answers.fail(...refusal);
    const added = await addOnce({ contactId, campaignId, correlationId }, connectMautic(context));
    if (!added.ok) return answers.fail(...added.failure);
    const { alreadyMember } = added;
    log.info("added_to_campaign", { contactId, campaignId, alreadyMember });
    return answers.ok({
      success: true,
      contactId: String(added.contactId),
      campaignId: String(campaignId),
      alreadyMember,
    });
  });
}

type Added =
  | { ok: true; contactId: number; alreadyMember: boolean }
  | { ok: false; failure: Failure };

/**
 * Somebody who opted out, in Mautic or on a lead, is not enrolled. The contact is read first: that
 * also tells of a merge, and a missing contact from a missing campaign.
 */
async function addOnce(
  { contactId, campaignId, correlationId }: {
    contactId: number;
    campaignId: number;
    correlationId: string;
  },
  context: SyncContext,
): Promise<Added> {
  const refuse = (...failure: Failure): Added => ({ ok: false, failure });
  let known: number | undefined;
  try {
    const contact = await context.mautic.getContact(contactId, correlationId);
    const { id } = contact;
    known = id;
    if (emailEntries(contact.doNotContact).length > 0) {
      return refuse("not_mailable", `Mautic holds a do-not-contact entry for contact ${id}.`);
    }
    const enrolled = await enrollOnce(
      { contactId: id, campaignId, leadId: null, correlationId, isNew: false },
      context,
    );
    if (enrolled === "busy") {
      return refuse("busy", `Contact ${id} is being added to campaign ${campaignId} just now.`);
    }
    if (enrolled === "not_mailable") {
      return refuse("not_mailable", `The email_status of a lead of contact ${id} forbids mail.`);
    }
    return { ok: true, contactId: id, alreadyMember: enrolled === "already_enrolled" };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (known === undefined) {
      return refuse("contact_not_found", `Mautic knows no contact ${contactId}.`);
    }
    await context.database.withdrawEnrollment(context.settings.baseUrl, campaignId, known);
    return refuse("campaign_not_found", `Mautic knows no campaign ${campaignId}.`);
  }
}
