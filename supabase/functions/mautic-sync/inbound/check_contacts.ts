import { isEmail, isOurs, kindOfEntry } from "shared/consent/entry.ts";
import type { ContactToCheck } from "shared/database/reconcile.ts";
import { contactsPerRead, type Reconciliation } from "./reconciliation.ts";

/**
 * Reads the contacts that are do-not-contact here and have no row in the table, 200 a request. Where
 * they have no entry in Mautic the status is lifted.
 */
export async function checkContacts(
  { mautic, database, origin, correlationId, counts, inTime }: Reconciliation,
): Promise<boolean> {
  let afterId = 0;
  while (inTime()) {
    const suspects = await database.contactsToCheck(origin, afterId, contactsPerRead);
    if (suspects.length > 0) {
      const ids = suspects.map((suspect) => suspect.contact_id);
      const contacts = await mautic.contactsByIds(ids, correlationId);
      const byId = new Map(contacts.map((contact) => [contact.id, contact]));
      const checked = suspects.flatMap(
        (suspect): (ContactToCheck & { address?: string; result: "lifted" | "gone" })[] => {
          const contact = byId.get(suspect.contact_id);
          // Deleted or merged away, with its entry: no reason to mail the person again.
          if (!contact) return [{ ...suspect, result: "gone" }];
          // Our own entry may have replaced a bounce: Mautic lets 3 take the place of 2.
          const standing = contact.doNotContact.some((entry) =>
            isEmail(entry.channel) &&
            (![null, "subscribed"].includes(kindOfEntry(entry)) || suspect.bounced && isOurs(entry))
          );
          const { email } = contact.fields;
          const address = typeof email === "string" ? { address: email } : {};
          return standing ? [] : [{ ...suspect, ...address, result: "lifted" }];
        },
      );
      if (checked.length > 0) {
        counts.changedLeads += await database.settleCheck(origin, checked, correlationId);
      }
      counts.contactsChecked += suspects.length;
    }
    if (suspects.length < contactsPerRead) return true;
    afterId = suspects.at(-1)?.contact_id ?? afterId;
  }
  return false;
}
