import { contactDelta } from "shared/contact/delta.ts";
import { type FieldValue, isBlank } from "shared/contact/field_value.ts";
import { contactAddress, type MauticContact } from "shared/mautic/contact_schema.ts";
import { attemptedAddresses } from "./attempted.ts";
import { bisect } from "./bisect.ts";
import { isUnsettled, replace, type Unsettled, withResult, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

/**
 * For leads whose last attempt may have reached Mautic: looks for a contact with the address it
 * had then or has now. Found: it is edited, so that nothing is created twice.
 */
export async function lookUp(works: Work[], context: SyncContext): Promise<Work[]> {
  const due = works.filter(isUnsettled).filter(({ item }) => item.operation === "look_up");
  const lookedUp = await bisect(due, context, {
    step: "read",
    scope: "request",
    send: (some) => find(some, context),
  });
  return replace(works, lookedUp);
}

async function find(works: Unsettled[], { mautic, settings }: SyncContext): Promise<Work[]> {
  const addressesOf = (
    { item, address }: Unsettled,
  ) => [...attemptedAddresses(item, settings), address];
  const found = await mautic.findByEmail(
    [...new Set(works.flatMap(addressesOf))],
    works[0]?.item.correlation_id,
  );
  const taken = new Set<number>();
  return works.map((work) => {
    const contact = found.find((each) =>
      !taken.has(each.id) && addressesOf(work).includes(contactAddress(each))
    );
    if (!contact) {
      return work.item.withdraws ? withResult(work, { result: "done", action: "kept" }) : work;
    }
    taken.add(contact.id);
    // It shows a newer lead, as was known: only the link is new.
    if (work.item.superseded && contact.id === work.item.contact_id) {
      return withResult(work, { result: "done" });
    }
    const { desired, known } = work.fields;
    // Of a contact that was there before us only what it lacks is known better here.
    const wanted = work.item.fill ? blankIn(contact, desired) : desired;
    const delta = contactDelta(wanted, { snapshot: {}, refused: {}, filled: known.filled });
    return {
      ...work,
      fields: { ...work.fields, delta },
      reach: { stage: "addressed", contactId: contact.id },
    };
  });
}

/** The values of these whose fields are blank in the contact. */
function blankIn(
  contact: MauticContact,
  desired: Record<string, FieldValue>,
): Record<string, FieldValue> {
  return Object.fromEntries(
    Object.entries(desired).filter(([alias]) => isBlankField(contact.fields[alias])),
  );
}

/** What Mautic answers is text, a number or nothing. */
function isBlankField(value: unknown): boolean {
  return typeof value === "number" || typeof value === "string"
    ? isBlank(value)
    : value === null || value === undefined;
}
