import { z } from "zod";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import { normalizeAddress } from "shared/lead/address.ts";
import { anyRecord, entriesOf, idSchema, valuesOf } from "shared/mautic/transport/json.ts";

/** What we read of a contact in Mautic's answers. */
export interface MauticContact {
  id: number;
  /** alias → value, as Mautic gives it: text, number, boolean or null. */
  fields: Record<string, unknown>;
  doNotContact: DoNotContactEntry[];
  /** Native UTM tag sets: `utm_source`, `utm_medium` … → value. */
  utmTags: Record<string, string>[];
}

/** A contact's e-mail address as addresses are compared; empty where it has none. */
export function contactAddress({ fields }: Pick<MauticContact, "fields">): string {
  return normalizeAddress(String(fields["email"] ?? ""));
}

const doNotContactEntry = z.object({
  channel: z.string().nullish().transform((channel) => channel ?? ""),
  reason: z.coerce.number(),
  comments: z.string().nullish().transform((comments) => comments ?? null),
});

const utmTagNames = {
  utmSource: "utm_source",
  utmMedium: "utm_medium",
  utmCampaign: "utm_campaign",
  utmTerm: "utm_term",
  utmContent: "utm_content",
};

/** `fields.all` is flat; without it (failed batch items, do-not-contact answers) the groups are. */
function flatten(fields: unknown): Record<string, unknown> {
  const groups = anyRecord.safeParse(fields).data ?? {};
  const all = anyRecord.safeParse(groups["all"]);
  if (all.success) return all.data;
  const values = valuesOf(groups).flatMap(entriesOf).flatMap(
    ([alias, field]): [string, unknown][] => {
      const entry = anyRecord.safeParse(field);
      return entry.success && "value" in entry.data ? [[alias, entry.data["value"]]] : [];
    },
  );
  return Object.fromEntries(values);
}

function utmTagSet(value: unknown): Record<string, string> {
  const set = anyRecord.safeParse(value).data ?? {};
  return Object.fromEntries(
    Object.entries(utmTagNames).flatMap(([theirs, ours]) => {
      const text = set[theirs];
      return typeof text === "string" && text !== "" ? [[ours, text]] : [];
    }),
  );
}

/**
 * A contact of an ordinary answer. `doNotContact` must be there: read as "none", its absence
 * (`minimal=1`) would let us mail somebody who opted out.
 */
export const contactSchema = z.object({
  id: idSchema,
  fields: z.unknown(),
  doNotContact: z.union([z.array(z.unknown()), anyRecord, z.null()]),
  utmtags: z.unknown().optional(),
}).transform((contact, context): MauticContact => {
  const entries = z.array(doNotContactEntry).safeParse(valuesOf(contact.doNotContact));
  if (!entries.success) {
    context.addIssue({ code: "custom", message: "doNotContact: entries of another shape" });
    return z.NEVER;
  }
  return {
    id: contact.id,
    fields: flatten(contact.fields),
    doNotContact: entries.data,
    utmTags: valuesOf(contact.utmtags).map(utmTagSet),
  };
});

export const contactAnswer = z.object({ contact: contactSchema });

export const contactsAnswer = z.object({ contacts: z.unknown() }).transform(({ contacts }) =>
  valuesOf(contacts)
).pipe(z.array(contactSchema));
