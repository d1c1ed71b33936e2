import { contactDelta } from "shared/contact/delta.ts";
import {
  type Answered,
  askedId,
  contactOf,
  isUnsettled,
  type Leased,
  type Read,
  type Unsettled,
  type Work,
} from "./item.ts";

/** Whose lead changed earlier comes first. */
export function byChange(a: Leased, b: Leased): number {
  return Date.parse(a.item.changed_at) - Date.parse(b.item.changed_at);
}

/** Mautic answered with another contact than was asked for: the survivor of a merge. */
export function isMerged({ reach }: Leased): boolean {
  return (reach.stage === "read" || reach.stage === "saved") && reach.contactId !== null &&
    reach.contact.id !== reach.contactId;
}

/** What was known is known of the merged-away contact: the survivor gets the whole lead. */
export function startOver(work: Unsettled<Answered>): Unsettled<Read> {
  const { fields, reach: { contact, contactId } } = work;
  const known = { snapshot: {}, refused: {}, filled: fields.known.filled };
  return {
    ...work,
    fields: { ...fields, known, delta: contactDelta(fields.desired, known) },
    reach: { stage: "read", contactId: contactId ?? contact.id, contact },
  };
}

/** Was the contact of this lead saved after it for a lead that is older? */
export function isOverwritten(work: Leased, savedLast: Work[]): boolean {
  const id = contactOf(work)?.id;
  return savedLast.some((other) =>
    other.reach.stage === "saved" && other.reach.contact.id === id && byChange(other, work) < 0
  );
}

/** Contact id → id of the lead that speaks for it. */
export type Speakers = Map<number, string>;

/**
 * The newest of the unsettled leads of each contact: its consent counts, and it may be enrolled. A claim
 * holds one lead of a contact; that there are more is found out where Mautic merged them.
 */
export function speakersOf(works: Work[]): Speakers {
  const speakers: Speakers = new Map();
  for (const work of works.filter(isUnsettled).toSorted(byChange)) {
    const id = contactOf(work)?.id ?? askedId(work);
    if (id !== undefined) speakers.set(id, work.item.lead_id);
  }
  return speakers;
}

/** The leads that speak for their contacts. */
export function speaking(works: Work[], speakers: Speakers): Work[] {
  const leads = new Set(speakers.values());
  return works.filter(({ item }) => leads.has(item.lead_id));
}

/** What another lead of the same contact has brought about is what this one's answer would show. */
export function withEntriesOfSpeakers(works: Work[], speakers: Speakers): Work[] {
  const contacts = new Map(works.map((work) => [work.item.lead_id, contactOf(work)]));
  return works.map((work) => {
    const { reach } = work;
    if (reach.stage !== "read" && reach.stage !== "saved") return work;
    const newest = contacts.get(speakers.get(reach.contact.id) ?? "");
    if (!newest) return work;
    const { doNotContact } = newest;
    return { ...work, reach: { ...reach, contact: { ...reach.contact, doNotContact } } };
  });
}
