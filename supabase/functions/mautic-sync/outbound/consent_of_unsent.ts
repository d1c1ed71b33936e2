import { contactAddress } from "shared/mautic/contact_schema.ts";
import { callFor } from "./call_for.ts";
import { changeConsent, needsConsentChange } from "./consent.ts";
import { failing } from "./failure.ts";
import {
  type Answered,
  askedId,
  contactOf,
  type Leased,
  optInOf,
  type Result,
  type Settled,
  type Work,
} from "./item.ts";
import type { SyncContext } from "./run.ts";

/**
 * Withdraws consent in Mautic also for a lead whose fields are not sent, as a dead letter or for want
 * of an address or of a place in Mautic: a bad phone number may wait for a person who corrects it, somebody who does not want
 * mail any more may not. Where a newer lead is the same contact, that one's consent counts and nothing
 * is done here.
 *
 * Its result stays. Where its consent failed, it is tried again as a whole, and comes to the same
 * result by then.
 */
export async function withdrawThoughUnsent(works: Work[], context: SyncContext): Promise<Work[]> {
  const withdrawn: Work[] = [];
  for (const work of works) {
    withdrawn.push(isDue(work) ? await withdraw(work, context) : work);
  }
  return withdrawn;
}

function isDue(work: Work): work is Settled {
  const { item } = work;
  return work.state === "settled" && isUnsent(work.result) && optInOf(item) === false &&
    !item.superseded && askedId(work) !== undefined && needsConsentChange(work);
}

/** Is it the lead itself that its fields were not sent for, and not trouble on the way? */
function isUnsent({ result, action, error_code: code }: Result): boolean {
  return result === "dead" || action === "without_address" || action === "out_of_scope" ||
    code === "unreadable" || code === "required_field";
}

async function withdraw(work: Settled, context: SyncContext): Promise<Settled> {
  const read = await withContactRead(work, context);
  if (!hasContact(read)) return read;
  let isOthers: boolean;
  try {
    isOthers = await isAnothers(read, context);
  } catch (error) {
    return failing(error, context, "other")(read);
  }
  return isOthers ? read : await changeConsent(read, context);
}

async function withContactRead(work: Settled, context: SyncContext): Promise<Settled> {
  const { reach, item } = work;
  if (reach.stage !== "addressed") return work;
  const { contactId } = reach;
  return await callFor(work, context, "read", async (): Promise<Settled> => {
    const contact = await context.mautic.getContact(contactId, item.correlation_id);
    return { ...work, reach: { stage: "read", contactId, contact } };
  });
}

function hasContact(work: Settled): work is Settled & Leased<Answered> {
  return contactOf(work) !== undefined;
}

/** Found by an address that the lead had once: the contact may be another lead's by now. */
async function isAnothers(
  work: Leased<Answered>,
  { database, settings }: SyncContext,
): Promise<boolean> {
  const asked = askedId(work);
  const address = contactAddress(work.reach.contact);
  if (asked === undefined || asked === work.item.contact_id || address === work.address) {
    return false;
  }
  return await database.contactInUse(settings.baseUrl, asked, address || null);
}
