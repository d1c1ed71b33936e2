import { z } from "zod";
import { normalizeAddress } from "../address.ts";
import type { DoNotContactEntry } from "../consent_decider.ts";

export type { DoNotContactEntry } from "../consent_decider.ts";

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

const anyRecord = z.record(z.string(), z.unknown());

/**
 * PHP writes a list with gaps as an object, and an empty object as a list: the entries by key,
 * whichever came. null and absent: none.
 */
export function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function valuesOf(value: unknown): unknown[] {
  return entriesOf(value).map(([, each]) => each);
}

/** An id comes as a number or, e.g. from statistics, as text. 0 and null are no ids. */
export const idSchema = z.union([
  z.int().positive(),
  z.string().regex(/^[1-9]\d{0,14}$/).transform(Number),
]);

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

export const batchAnswer = z.object({
  contacts: z.unknown().optional(),
  statusCodes: z.union([z.array(z.number()), z.record(z.string(), z.number())]),
  errors: z.unknown().optional(),
});

/** Ids of the campaigns a contact is in. */
export const campaignsAnswer = z.object({ campaigns: z.unknown() }).transform(({ campaigns }) =>
  valuesOf(campaigns)
).pipe(z.array(z.object({ id: idSchema }).transform(({ id }) => id)));

export const successAnswer = z.object({ success: z.union([z.literal(1), z.literal(true)]) });

export const fieldsAnswer = z.object({ fields: z.unknown() }).transform(({ fields }) =>
  valuesOf(fields)
).pipe(z.array(z.object({
  alias: z.string(),
  type: z.string(),
  isPublished: z.boolean(),
  /** Told by newer versions only. */
  charLengthLimit: z.number().nullish(),
})));
export type ContactField = z.infer<typeof fieldsAnswer>[number];

/** A row of lead_donotcontact: all values are text, nulls are left out, times are UTC. */
export const doNotContactRows = z.object({
  total: z.coerce.number(),
  stats: z.array(
    z.object({
      id: idSchema,
      lead_id: idSchema,
      reason: z.coerce.number(),
      channel: z.string(),
      comments: z.string().nullish(),
      date_added: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    }).transform((row) => ({
      id: row.id,
      contactId: row.lead_id,
      reason: row.reason,
      channel: row.channel,
      comments: row.comments ?? null,
      addedAt: `${row.date_added.replace(" ", "T")}Z`,
    })),
  ),
});
export type DoNotContactRows = z.infer<typeof doNotContactRows>;

export const tokenAnswer = z.object({
  /** What a header can carry: anything else would break, or add to, the headers of each call. */
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/, "not a bearer token"),
  /** Seconds. Absent or senseless: the token serves for this once. */
  expires_in: z.coerce.number().catch(0),
});

/** One error of `errors`, whichever of Mautic's shapes it has. */
export interface WireError {
  code: number | undefined;
  message: string;
  type: string | undefined;
  /** alias → messages; undefined where Mautic sends no `details` at all. */
  details: Record<string, string[]> | undefined;
}

/** Reads one entry of `errors`. Total. */
export function wireError(value: unknown): WireError {
  const error = anyRecord.safeParse(value).data ?? {};
  const { code, message, type, details } = error;
  return {
    code: typeof code === "number" ? code : undefined,
    message: typeof message === "string" ? message : "no message",
    type: typeof type === "string" ? type : undefined,
    details: details === undefined || details === null ? undefined : Object.fromEntries(
      entriesOf(details).map(([alias, messages]) => [
        alias,
        typeof messages === "string" ? [messages] : valuesOf(messages).map(String),
      ]),
    ),
  };
}

/** The errors of a whole answer; empty when it has none. Total. */
export function wireErrors(json: unknown): WireError[] {
  return valuesOf(anyRecord.safeParse(json).data?.["errors"]).map(wireError);
}
