import { guardedInHalves } from "./bisect.ts";
import { guarded } from "./failure.ts";
import { open, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

/**
 * Reads the contacts of `works` as they are now, one request for all. Mautic leaves merged-away
 * and deleted ids out of a list, so the missing ones are asked for one by one: 404 is gone, another
 * id in the answer is the contact it was merged into.
 *
 * Before a batch edit this is a must: a merged-away id beside its survivor in one `batch/edit`
 * makes Mautic save a duplicate (recorded: batch-patch-same-id-twice).
 */
export async function readContacts(works: Work[], context: SyncContext): Promise<void> {
  await guardedInHalves(works, context, async (works) => {
    const found = await context.mautic.contactsByIds(
      works.map((work) => work.contactId!),
      works[0]!.item.correlation_id,
    );
    const byId = new Map(found.map((contact) => [contact.id, contact]));
    for (const work of works) work.contact = byId.get(work.contactId!);
  }, "read");
  for (const work of works) {
    if (!open(work) || work.contact) continue;
    await guarded([work], context, async () => {
      work.contact = await context.mautic.getContact(work.contactId!, work.item.correlation_id);
    }, "read");
  }
}
