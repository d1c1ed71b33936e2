import { contactDelta } from "shared/contact/delta.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import { guarded, guardedInHalves } from "./failure.ts";
import { attemptedAddresses, open, type SyncContext, type Work } from "./work.ts";

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

/**
 * For leads whose last attempt may have reached Mautic: looks for a contact with the address it
 * had then or has now. Found: it is edited, so that nothing is created twice.
 */
export async function lookUp(works: Work[], context: SyncContext): Promise<void> {
  const addressesOf = (work: Work) => [
    ...attemptedAddresses(work.item, context.settings),
    work.address,
  ];
  await guardedInHalves(works, context, async (works) => {
    const found = await context.mautic.findByEmail(
      [...new Set(works.flatMap(addressesOf))],
      works[0]!.item.correlation_id,
    );
    const taken = new Set<number>();
    for (const work of works) {
      const contact = found.find((each) =>
        !taken.has(each.id) &&
        addressesOf(work).includes(contactAddress(each))
      );
      if (!contact) continue;
      taken.add(contact.id);
      if (work.item.superseded && contact.id === work.item.contact_id) {
        // It shows a newer lead, as was known: only the link is new.
        work.result = { result: "done" };
        continue;
      }
      work.contactId = contact.id;
      const { filled } = work.item;
      work.delta = contactDelta(work.desired, { snapshot: {}, refused: {}, filled });
    }
  }, "read");
}
