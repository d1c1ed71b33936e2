import { mayChangeConsent } from "./consent.ts";
import { mayEnroll } from "./enroll.ts";
import { hasFieldsToSend, open, type Work } from "./item.ts";
import { byChange, isMerged, startOver } from "./merged.ts";
import { readContacts } from "./read_contacts.ts";
import type { SyncContext } from "./run.ts";
import { sendCreates, sendEdits } from "./save.ts";
import { mayTag } from "./utm_tags.ts";

export async function sendFields(works: Work[], context: SyncContext): Promise<void> {
  const known = works.filter((work) => open(work) && work.contactId !== undefined);
  const edits = known.filter(hasFieldsToSend);
  const onlyRead = known.filter((work) =>
    !hasFieldsToSend(work) &&
    (mayChangeConsent(work) || mayEnroll(work, context) || mayTag(work, context))
  );
  // A single edit needs no reading first: its own answer tells of a merge. Not so beside another
  // lead, which may turn out to be the same contact.
  const isBesideOthers = edits.length + onlyRead.length > 1;
  await readContacts(isBesideOthers ? [...edits, ...onlyRead] : onlyRead, context);

  // One id may be two leads': merged since, or found by the address somebody gave it in Mautic.
  // Twice in a batch it would be doubled, so the second goes in a request of its own.
  const batch = new Map<number, Work>();
  const alone: Work[] = [];
  const moved = [...edits, ...onlyRead].filter((work) => open(work) && isMerged(work));
  moved.forEach(startOver);
  for (const work of new Set([...edits.filter(open), ...moved])) {
    const id = work.contact?.id ?? work.contactId;
    if (id === undefined || batch.has(id) || id !== work.contactId) alone.push(work);
    else batch.set(id, work);
  }
  await sendEdits([...batch.values()], context);
  for (const work of alone.sort(byChange)) await sendEdits([work], context);
  // Found to be one contact by a merge: the newest comes last.
  for (const work of new Set([...batch.values(), ...onlyRead])) {
    const isOverwritten = alone.some((other) =>
      other.sent && other.contact?.id === work.contact?.id && byChange(other, work) < 0
    );
    if (!open(work) || !isOverwritten) continue;
    startOver(work);
    await sendEdits([work], context);
  }
  for (const work of edits) {
    if (!open(work) || moved.includes(work) || !isMerged(work)) continue;
    startOver(work);
    await sendEdits([work], context);
  }
  await sendCreates(works.filter((work) => open(work) && work.contactId === undefined), context);
}
