import type { MauticContact } from "shared/mautic/contact_schema.ts";
import { bisect } from "./bisect.ts";
import { callFor } from "./call_for.ts";
import { type Addressed, isAddressed, type Read, type Unsettled, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

/**
 * Reads the contacts of these leads as they are now, one request for all. Mautic leaves merged-away
 * and deleted ids out of a list, so the missing ones are asked for one by one: 404 is gone, another
 * id in the answer is the contact it was merged into.
 *
 * Before a batch edit this is a must: a merged-away id beside its survivor in one `batch/edit`
 * makes Mautic save a duplicate (recorded: batch-patch-same-id-twice).
 */
export async function readContacts(
  works: Unsettled<Addressed>[],
  context: SyncContext,
): Promise<Work[]> {
  const { mautic } = context;
  const listed = await bisect(works, context, {
    step: "read",
    scope: "request",
    send: (some) => list(some, context),
  });
  const read: Work[] = [];
  for (const work of listed) {
    if (!isAddressed(work)) {
      read.push(work);
      continue;
    }
    const { item, reach } = work;
    const asked = await callFor(
      work,
      context,
      "read",
      async () => withRead(work, await mautic.getContact(reach.contactId, item.correlation_id)),
    );
    read.push(asked);
  }
  return read;
}

/** Those that are missing in the list come back as they were. */
async function list(works: Unsettled<Addressed>[], { mautic }: SyncContext): Promise<Work[]> {
  const ids = works.map(({ reach }) => reach.contactId);
  const found = await mautic.contactsByIds(ids, works[0]?.item.correlation_id);
  const byId = new Map(found.map((contact) => [contact.id, contact]));
  return works.map((work) => {
    const contact = byId.get(work.reach.contactId);
    return contact ? withRead(work, contact) : work;
  });
}

function withRead(work: Unsettled<Addressed>, contact: MauticContact): Unsettled<Read> {
  return { ...work, reach: { stage: "read", contactId: work.reach.contactId, contact } };
}
