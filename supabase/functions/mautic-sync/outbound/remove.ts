import { consentComment, emailEntries, manualReason } from "shared/consent/entry.ts";
import { contactAddress, type MauticContact } from "shared/mautic/contact_schema.ts";
import { isNotFound } from "shared/mautic/transport/errors.ts";
import { attemptedAddresses } from "./attempted.ts";
import { callFor } from "./call_for.ts";
import { type Removal, type Settled, withResult } from "./item.ts";
import type { SyncContext } from "./run.ts";

/**
 * Does to the contacts of deleted leads what the setting on_lead_delete said, and deletes erased
 * people. A contact that another lead is, is never touched: claim asked, and it is asked once more
 * right before the call. Repeatable: what is gone already counts as removed.
 */
export async function removeContacts(
  removals: Removal[],
  context: SyncContext,
): Promise<Settled[]> {
  const removed: Settled[] = [];
  for (const removal of removals) {
    removed.push(await callFor(removal, context, "other", () => remove(removal, context)));
  }
  return removed;
}

async function remove(work: Removal, context: SyncContext): Promise<Settled> {
  const { item } = work;
  const removed: number[] = [];
  let touched = false;
  for (const id of await candidates(work, context)) {
    const contact = await read(id, work, context);
    if (contact === undefined) {
      removed.push(id);
      continue;
    }
    const address = contactAddress(contact) || null;
    if (await context.database.contactInUse(context.settings.baseUrl, contact.id, address)) {
      context.log.info("contact_kept", { leadId: item.lead_id, contactId: contact.id });
      continue;
    }
    touched = true;
    if (item.removal === "delete_contact") {
      await context.mautic.deleteContact(contact.id, item.correlation_id);
      removed.push(id, contact.id);
    } else if (emailEntries(contact.doNotContact).length === 0) {
      const entry = { reason: manualReason, comments: consentComment };
      await context.mautic.addDoNotContact(contact.id, entry, item.correlation_id);
    }
  }
  const isGone = item.removal === "delete_contact" && removed.length > 0;
  return withResult(work, {
    result: "done",
    action: isGone ? "deleted" : touched ? "do_not_contact" : "kept",
    ...(removed.length > 0 ? { removed_contact_ids: [...new Set(removed)] } : {}),
  });
}

/** The linked contact, and for an erasure every contact that has the address now. */
async function candidates(
  { item }: Removal,
  { mautic, settings }: SyncContext,
): Promise<Set<number>> {
  const ids = new Set(item.contact_id === null ? [] : [item.contact_id]);
  const addresses = attemptedAddresses(item, settings);
  if (addresses.length > 0) {
    const found = await mautic.findByEmail(addresses, item.correlation_id);
    for (const contact of found) ids.add(contact.id);
  }
  return ids;
}

/** The contact as it is, or the one it was merged into; undefined when it is gone. */
async function read(
  id: number,
  { item }: Removal,
  { mautic }: SyncContext,
): Promise<MauticContact | undefined> {
  try {
    return await mautic.getContact(id, item.correlation_id);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
