import type { Merged } from "shared/database/reconcile.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import { isNotFound } from "shared/mautic/transport/errors.ts";
import { contactsPerRead, type Reconciliation } from "./reconciliation.ts";

/** Contacts that are missing and asked for one by one, in a run. */
const singleReads = 20;

/** Looks for some of the linked contacts, in turns: leads of one that was merged away become the survivor's. */
export async function checkLinks(
  { mautic, database, origin, correlationId, inTime }: Reconciliation,
): Promise<boolean> {
  const ids = await database.linksToCheck(origin, contactsPerRead);
  const contacts = ids.length > 0 ? await mautic.contactsByIds(ids, correlationId) : [];
  const found = new Set(contacts.map((contact) => contact.id));
  const missing = ids.filter((id) => !found.has(id));
  // One request each: what is left over waits for its next turn.
  const asked = missing.slice(0, singleReads);
  const merged: Merged[] = [];
  for (const id of asked) {
    if (!inTime()) return false;
    const survivor = await survivorOf(id, mautic, correlationId);
    if (survivor) merged.push({ loser: id, ...survivor });
  }
  const isAll = ids.length < contactsPerRead && asked.length === missing.length;
  const last = asked.length < missing.length ? asked.at(-1) : ids.at(-1);
  await database.settleLinks(origin, isAll ? 0 : last ?? 0, merged);
  return true;
}

/** The contact that one was merged into; none when it is there after all, or was deleted. */
async function survivorOf(
  id: number,
  mautic: Reconciliation["mautic"],
  correlationId: string,
): Promise<{ survivor: number; address: string } | undefined> {
  try {
    const contact = await mautic.getContact(id, correlationId);
    if (contact.id === id) return undefined;
    return { survivor: contact.id, address: contactAddress(contact) };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
