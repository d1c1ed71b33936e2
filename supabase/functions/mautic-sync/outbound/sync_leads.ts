import type { LeasedItem } from "shared/database/queue.ts";
import type { FieldMap } from "shared/lead/field_map.ts";
import { applyConsent } from "./consent.ts";
import { withdrawThoughUnsent } from "./consent_of_unsent.ts";
import { applyEnrollment, type Enrollment } from "./enroll.ts";
import { judged } from "./failure.ts";
import type { Removal, Work } from "./item.ts";
import { lookUp } from "./look_up.ts";
import { speakersOf, withEntriesOfSpeakers } from "./merged.ts";
import { type Preparation, prepare } from "./prepare.ts";
import { readBack } from "./read_back.ts";
import { removeContacts } from "./remove.ts";
import { reportPrepared, reportSynced } from "./report.ts";
import { unlessMissing } from "./missing.ts";
import type { SyncContext } from "./run.ts";
import { sendFields } from "./send_fields.ts";
import { applyUtmTags } from "./utm_tags.ts";

/** What became of an item; `enrollment` where the lead spoke for its contact and got that far. */
export interface Synced {
  work: Work;
  enrollment: Enrollment | undefined;
}

/**
 * Brings leased leads to Mautic: fields, then consent, then enrolment. The one way there is, for
 * the queue and for direct calls alike. Never rejects for what Mautic or a lead does: each item
 * comes back with what became of it, also where the database failed on its way.
 */
export async function syncLeads(
  { items, field_map: fieldMap }: { items: LeasedItem[]; field_map: FieldMap },
  context: SyncContext,
): Promise<Synced[]> {
  // Whoever failed before goes last: a few on which Mautic fails are not to look like its failing on all.
  const ordered = items.toSorted((a, b) => a.attempt - b.attempt);
  const prepared = ordered.map((item) => prepare(item, fieldMap, context.settings));
  prepared.forEach((each) => reportPrepared(each, context.log));

  const removed = await removeContacts(removalsOf(prepared), context);
  const found = await lookUp(leadsOf(prepared), context);
  const sent = await readBack(await sendFields(found, context), context);
  // Leads that turn out to be one contact: the newest speaks for it.
  const speakers = speakersOf(sent);
  const consented = await applyConsent(sent, speakers, context);
  const withdrawn = await withdrawThoughUnsent(consented, context);
  const tagged = await applyUtmTags(withdrawn, speakers, context);
  const { works: enrolled, enrollments } = await applyEnrollment(tagged, speakers, context);
  const agreed = withEntriesOfSpeakers(enrolled, speakers);

  const byLead = new Map([...removed, ...agreed].map((work) => [work.item.lead_id, work]));
  return ordered.flatMap(({ lead_id }) => {
    const work = byLead.get(lead_id);
    if (work === undefined) return [];
    const synced = {
      work: unlessMissing(judged(work, context)),
      enrollment: enrollments.get(lead_id),
    };
    reportSynced(synced.work, synced.enrollment, context.log);
    return [synced];
  });
}

function removalsOf(prepared: Preparation[]): Removal[] {
  return prepared.flatMap(({ work }) => work.state === "removal" ? [work] : []);
}

function leadsOf(prepared: Preparation[]): Work[] {
  return prepared.flatMap(({ work }) => work.state === "removal" ? [] : [work]);
}
