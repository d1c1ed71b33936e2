import { contactDelta } from "shared/contact/delta.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import { guardedInHalves } from "./bisect.ts";
import { attemptedAddresses, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

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
