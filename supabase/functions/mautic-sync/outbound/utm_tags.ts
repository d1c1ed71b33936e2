import type { FieldMap } from "shared/lead/field_map.ts";
import type { LeadPayload } from "shared/lead/payload.ts";
import { cleanText } from "shared/lead/text.ts";
import { callFor } from "./call_for.ts";
import { isAnswered, replace, type Unsettled, withContact, type Work } from "./item.ts";
import { type Speakers, speaking } from "./merged.ts";
import type { SyncContext } from "./run.ts";

const parts = ["source", "medium", "campaign", "term", "content"] as const;

/** The UTM values of a lead that has any, whatever the fields are called that take them. */
export function utmSet(
  { fields }: LeadPayload,
  fieldMap: FieldMap,
): Record<string, string> | undefined {
  const given = parts.flatMap((part) => {
    const alias = fieldMap.find((field) => field.part?.join(".") === `utm.${part}`)?.alias;
    const value = alias === undefined ? undefined : fields[alias];
    const text = typeof value === "string" ? cleanText(value) : "";
    return text === "" ? [] : [[`utm_${part}`, text] as const];
  });
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** An earlier attempt may have brought the fields and not the tags: the contact has to be read. */
export function needsTags({ item, fields }: Unsettled, { settings }: SyncContext): boolean {
  return settings.nativeUtmTags && item.attempt > 1 && fields.utm !== undefined;
}

/**
 * Adds native UTM tags, where that is switched on, once per distinct set: `utm/add` appends every
 * time, so the sets in Mautic's own answer decide, also after an attempt that lost its answer.
 */
export async function applyUtmTags(
  works: Work[],
  speakers: Speakers,
  context: SyncContext,
): Promise<Work[]> {
  if (!context.settings.nativeUtmTags) return works;
  const tagged: Work[] = [];
  for (const work of speaking(works, speakers).filter(isAnswered)) {
    const set = work.fields.utm;
    const { contact } = work.reach;
    const isPresent = contact.utmTags.some((tags) =>
      parts.every((part) => (tags[`utm_${part}`] ?? "") === (set?.[`utm_${part}`] ?? ""))
    );
    const isDue = work.reach.stage === "saved" || needsTags(work, context);
    if (!set || isPresent || !isDue) continue;
    tagged.push(
      await callFor(work, context, "tag", async () => {
        const correlationId = work.item.correlation_id;
        const doNotContact = await context.mautic.addUtm(contact.id, set, correlationId);
        // Somebody may have opted out since.
        return withContact(work, { ...contact, doNotContact });
      }),
    );
  }
  return replace(works, tagged);
}
