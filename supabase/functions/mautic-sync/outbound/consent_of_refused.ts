import { marketingOptIn } from "shared/lead/lead.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import { changeConsent, needsConsentChange, type Shown } from "./consent.ts";
import { attempt, failing } from "./failure.ts";
import { askedId, type Closed, contactOf, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

/**
 * Withdraws consent in Mautic also for a lead that is a dead letter: a bad phone number may wait
 * for a person who corrects it, somebody who does not want mail any more may not. Where a newer lead
 * is the same contact, that one's consent counts and nothing is done here.
 *
 * It stays a dead letter. Where its consent failed, it is tried again as a whole, and is refused
 * again by then.
 */
export async function withdrawThoughRefused(works: Work[], context: SyncContext): Promise<Work[]> {
  const withdrawn: Work[] = [];
  for (const work of works) {
    withdrawn.push(isDue(work) ? await withdraw(work, context) : work);
  }
  return withdrawn;
}

function isDue(work: Work): work is Closed {
  const { item } = work;
  return work.state === "closed" && work.result.result === "dead" &&
    marketingOptIn(item.payload) === false && !item.superseded &&
    askedId(work) !== undefined && needsConsentChange(work);
}

async function withdraw(work: Closed, context: SyncContext): Promise<Closed> {
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

async function withContactRead(work: Closed, context: SyncContext): Promise<Closed> {
  const { reach, item } = work;
  if (reach.stage !== "addressed") return work;
  const { contactId } = reach;
  return await attempt(work, context, "read", async (): Promise<Closed> => {
    const contact = await context.mautic.getContact(contactId, item.correlation_id);
    return { ...work, reach: { stage: "read", contactId, contact } };
  });
}

function hasContact(work: Closed): work is Closed & Shown {
  return contactOf(work) !== undefined;
}

/** Found by an address that the lead had once: the contact may be another lead's by now. */
async function isAnothers(work: Shown, { database, settings }: SyncContext): Promise<boolean> {
  const asked = askedId(work);
  const address = contactAddress(work.reach.contact);
  if (asked === undefined || asked === work.item.contact_id || address === work.address) {
    return false;
  }
  return await database.contactInUse(settings.baseUrl, asked, address || null);
}
