import type { FieldValue } from "shared/contact/field_value.ts";
import { normalizeAddress } from "./address.ts";
import type { FieldMapping } from "./field_map.ts";
import type { LeadPayload } from "./payload.ts";
import { cleanText } from "./text.ts";

export interface FieldLimits {
  /** Longest text a field takes, in characters: 64 on a fresh Mautic (docs/mautic.md, "Values"). */
  text: number;
}

/** A text that was too long for its field. */
export interface Cut {
  alias: string;
  length: number;
  limit: number;
}

export interface MappedLead {
  /** alias → value; null: the lead has none. What is not in it is not to be changed. */
  desired: Record<string, FieldValue>;
  cut: Cut[];
}

/**
 * The contact fields a lead stands for, in the order of the map, the address last. Pure and total.
 *
 * What the lead says nothing of is left out, and so is a blank of a field that keeps what it has
 * (`when_blank`): nothing can blank it, attribution stays. A number 0 is a blank, because Mautic
 * ignores zeros (docs/mautic.md, "Values"). Over-long texts are cut and reported, or by `too_long`
 * left blank: half an id is another lead's.
 *
 * @param fieldMap The contact fields to fill; an alias of the lead that is not in it is not sent.
 * @returns The value that each alias is to have, and what had to be cut for it.
 *
 * @example A lead without a campaign leaves the contact's campaign as it is
 * ```ts
 * import assert from "node:assert/strict";
 * import { mapLead } from "shared/lead/map_lead.ts";
 *
 * const { desired } = mapLead(
 *   {
 *     id: "7",
 *     in_scope: true,
 *     email: " John@Example.com",
 *     stage: null,
 *     consent: true,
 *     score: 0,
 *     fields: { firstname: "John", phone: null, hki_score: 0, hki_utm_campaign: null },
 *     unreadable: [],
 *     missing: [],
 *   },
 *   [
 *     { alias: "hki_utm_campaign", type: "text", when_blank: "keep", too_long: "cut" },
 *     { alias: "hki_score", type: "number", when_blank: "clear", too_long: "cut" },
 *     { alias: "firstname", type: "text", when_blank: "clear", too_long: "cut" },
 *     { alias: "lastname", type: "text", when_blank: "clear", too_long: "cut" },
 *     { alias: "phone", type: "text", when_blank: "clear", too_long: "cut" },
 *   ],
 *   { text: 64 },
 * );
 * assert.deepEqual(desired, {
 *   hki_score: null,
 *   firstname: "John",
 *   phone: null,
 *   email: "john@example.com",
 * });
 * ```
 */
export function mapLead(
  payload: LeadPayload,
  fieldMap: Omit<FieldMapping, "part">[],
  limits: FieldLimits,
): MappedLead {
  const entries: [string, FieldValue][] = [];
  const cut: Cut[] = [];
  for (const mapping of fieldMap) {
    const { alias } = mapping;
    const given = Object.hasOwn(payload.fields, alias) ? payload.fields[alias] : undefined;
    if (given === undefined) continue;
    const fitted = fit(given, mapping, limits);
    if (fitted.cut) cut.push(fitted.cut);
    if (fitted.value !== null || mapping.when_blank === "clear") {
      entries.push([alias, fitted.value]);
    }
  }
  const email = cleanText(payload.email ?? "");
  if (email !== "") entries.push(["email", normalizeAddress(email)]);
  // fromEntries defines own properties: an alias such as __proto__ cannot do harm.
  return { desired: Object.fromEntries(entries), cut };
}

/** A value as its field takes it; null: blank. */
function fit(
  given: FieldValue,
  { alias, type, too_long }: Omit<FieldMapping, "part">,
  { text: limit }: FieldLimits,
): { value: FieldValue; cut?: Cut } {
  const text = typeof given === "string" ? cleanText(given) : String(given ?? "");
  if (type === "number") {
    const value = Number(text);
    return { value: Number.isFinite(value) && value !== 0 ? value : null };
  }
  const characters = [...text];
  if (characters.length <= limit) return { value: text || null };
  const kept = too_long === "cut" ? cleanText(characters.slice(0, limit).join("")) : "";
  return { value: kept || null, cut: { alias, length: characters.length, limit } };
}
