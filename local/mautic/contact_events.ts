/** Webhook events about one contact, and the modification marks every change leaves. */
import type { HookEvent } from "./hook_delivery.ts";
import type { Mautic } from "./mautic.ts";
import { type ContactView, serialiseContact } from "./serialise.ts";
import type { Author, Contact, JsonObject } from "./types.ts";

/** Marks a contact as changed; on 5.1.1 do-not-contact changes move the date as well. */
export function touch(mautic: Mautic, contact: Contact, author: Author): void {
  contact.dateModified = mautic.clock.now();
  contact.modifiedBy = author;
}

export function contactEvent(
  mautic: Mautic,
  contact: Contact,
  type: string,
  options: { view?: ContactView; extra?: JsonObject; before?: JsonObject },
): HookEvent {
  return {
    type,
    item: () => ({
      ...options.before,
      contact: serialiseContact(
        contact,
        { fields: mautic.state.fields, users: mautic.users },
        options.view ?? {},
      ),
      ...options.extra,
    }),
  };
}
