import { needsConsentChange } from "./consent.ts";
import { needsEnrollment } from "./enroll.ts";
import {
  hasFieldsToSend,
  isAddressed,
  isAnswered,
  isPrepared,
  isUnsettled,
  replace,
  type Work,
} from "./item.ts";
import { byChange, isMerged, isOverwritten, startOver } from "./merged.ts";
import { readContacts } from "./read_contacts.ts";
import type { SyncContext } from "./run.ts";
import { type Editable, saveEdits, saveNew } from "./save.ts";
import { needsTags } from "./utm_tags.ts";

/** Saves the fields of the leads, and reads the contacts that the steps after this one need. */
export async function sendFields(works: Work[], context: SyncContext): Promise<Work[]> {
  const known = works.filter(isAddressed);
  const edits = known.filter(({ fields }) => hasFieldsToSend(fields));
  const others = known.filter((work) =>
    !hasFieldsToSend(work.fields) &&
    // What an attempt whose answer was lost has brought, our do-not-contact entry say, is not known.
    (work.item.ambiguous || needsConsentChange(work) || needsEnrollment(work, context) ||
      needsTags(work, context))
  );
  // A single edit needs no reading first: its own answer tells of a merge. Not so beside another
  // lead, which may turn out to be the same contact.
  const isBesideOthers = edits.length + others.length > 1;
  const read = await readContacts(isBesideOthers ? [...edits, ...others] : others, context);

  const ids = new Set(edits.map(({ item }) => item.lead_id));
  const current = replace([...edits, ...others], read);
  const edited = await sendEdits(
    current.filter(({ item }) => ids.has(item.lead_id)),
    current.filter(({ item }) => !ids.has(item.lead_id)),
    context,
  );
  const created = await saveNew(works.filter(isPrepared), context);
  return replace(works, [...current, ...edited, ...created]);
}

/**
 * Sends the edits, and whoever turns out to share a contact with another lead, so that the contact
 * shows the newest of them at last. `others` have nothing to send as far as is known.
 */
async function sendEdits(edits: Work[], others: Work[], context: SyncContext): Promise<Work[]> {
  const due = [...edits, ...others.filter(isMerged)].filter(isEditable);
  const moved = new Set(due.filter(isMerged).map(({ item }) => item.lead_id));
  const { batch, alone } = apart(
    due.map((work) => isAnswered(work) && isMerged(work) ? startOver(work) : work),
  );
  const saved = await saveEdits(batch, context);
  const savedAlone = await saveEachAlone(alone.toSorted(byChange), context);

  // Found to be one contact by a merge: the newest comes last.
  const overwritten = [...saved, ...others.filter((work) => !isMerged(work))].filter(isAnswered)
    .filter((work) => isOverwritten(work, savedAlone));
  const restored = await saveEachAlone(overwritten.map(startOver), context);

  // Merged away between our reading and the edit.
  const merged = replace([...saved, ...savedAlone], restored).filter(isAnswered)
    .filter((work) => isMerged(work) && !moved.has(work.item.lead_id));
  const repeated = await saveEachAlone(merged.map(startOver), context);
  return [...saved, ...savedAlone, ...restored, ...repeated];
}

/**
 * One id may be two leads': merged since, or found by the address that somebody gave the contact in
 * Mautic. Twice in a batch it would be doubled, so the second goes in a request of its own.
 */
function apart(works: Editable[]): { batch: Editable[]; alone: Editable[] } {
  const taken = new Set<number>();
  const batch: Editable[] = [];
  const alone: Editable[] = [];
  for (const work of works) {
    if (isMerged(work) || taken.has(work.reach.contactId)) alone.push(work);
    else {
      taken.add(work.reach.contactId);
      batch.push(work);
    }
  }
  return { batch, alone };
}

async function saveEachAlone(works: Editable[], context: SyncContext): Promise<Work[]> {
  const saved: Work[] = [];
  for (const work of works) saved.push(...await saveEdits([work], context));
  return saved;
}

function isEditable(work: Work): work is Editable {
  return isUnsettled(work) && (work.reach.stage === "addressed" || work.reach.stage === "read");
}
