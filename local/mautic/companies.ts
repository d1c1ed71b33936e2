/** Companies only as far as a contact's `company` field creates and links them. */
import type { HookEvent } from "./hook_delivery.ts";
import type { Mautic } from "./mautic.ts";
import { isoDate } from "./php.ts";
import { type ContactView, serialiseContact } from "./serialise.ts";
import { nextId } from "./state.ts";
import type { Contact } from "./types.ts";

interface Company {
  id: number;
  name: string;
  dateAdded: number;
}

/** Links the contact to the company its field names; null when nothing new was linked. */
export function linkCompany(mautic: Mautic, contact: Contact, isSent: boolean): Company | null {
  const name = contact.values.get("company");
  if (!isSent || typeof name !== "string") return null;
  let company = mautic.state.companies.get(name);
  if (!company) {
    company = { id: nextId(mautic.state, "company"), name, dateAdded: mautic.clock.now() };
    mautic.state.companies.set(name, company);
  }
  if (contact.companies.includes(company.id)) return null;
  contact.companies.push(company.id);
  return company;
}

/** Serialised without groups on the real server: read ids and names only. */
export function companyEvent(
  mautic: Mautic,
  contact: Contact,
  company: Company,
  view: ContactView,
): HookEvent {
  const shapes = { fields: mautic.state.fields, users: mautic.users };
  return {
    type: "mautic.lead_company_change",
    item: () => ({
      added: true,
      contact: serialiseContact(contact, shapes, { ...view, columns: true }),
      company: {
        isPublished: true,
        dateAdded: isoDate(company.dateAdded),
        id: company.id,
        name: company.name,
        score: 0,
      },
    }),
  };
}
