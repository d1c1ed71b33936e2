import type { Lead } from "shared/lead/lead.ts";
import { guarded } from "./failure.ts";
import { open, type Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

const parts = ["source", "medium", "campaign", "term", "content"] as const;

/** The UTM values of a lead that has any. */
function utmSet(lead: Lead | undefined): Record<string, string> | undefined {
  const given = parts.flatMap((part) => {
    const value = lead?.utm?.[part]?.trim();
    return value ? [[`utm_${part}`, value] as const] : [];
  });
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** An earlier attempt may have brought the fields and not the tags: the contact has to be read. */
export function mayTag(work: Work, { settings }: SyncContext): boolean {
  return settings.nativeUtmTags && work.item.attempt > 1 && utmSet(work.lead) !== undefined;
}

/**
 * Adds native UTM tags, where that is switched on, once per distinct set: `utm/add` appends every
 * time, so the sets in Mautic's own answer decide, also after an attempt that lost its answer.
 */
export async function applyUtmTags(works: Work[], context: SyncContext): Promise<void> {
  if (!context.settings.nativeUtmTags) return;
  for (const work of works) {
    const set = utmSet(work.lead);
    if (!open(work) || !(work.sent || mayTag(work, context)) || !work.contact || !set) continue;
    const { contact } = work;
    const present = contact.utmTags.some((tags) =>
      parts.every((part) => (tags[`utm_${part}`] ?? "") === (set[`utm_${part}`] ?? ""))
    );
    if (present) continue;
    await guarded([work], context, async () => {
      const doNotContact = await context.mautic.addUtm(contact.id, set, work.item.correlation_id);
      // Somebody may have opted out since.
      work.contact = { ...contact, doNotContact };
    }, "tag");
  }
}
