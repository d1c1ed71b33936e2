import type { FieldValue } from "shared/contact/field_value.ts";
import { normalizeAddress } from "./address.ts";
import type { Lead } from "./lead.ts";

/** Where the lead's own values go: aliases of custom contact fields. null: not mapped. */
export interface FieldAliases {
  score: string | null;
  status: string | null;
  leadId: string | null;
  utmSource: string | null;
  utmMedium: string | null;
  utmCampaign: string | null;
  utmTerm: string | null;
  utmContent: string | null;
}

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
  /** alias → value; null: the lead has none. A UTM alias or the e-mail is never null. */
  desired: Record<string, FieldValue>;
  cut: Cut[];
}

/**
 * The contact fields a lead stands for. Pure and total.
 *
 * A score of 0 is a blank, because Mautic ignores zeros (docs/mautic.md, "Values"). UTM values that
 * are missing are left out altogether, so that nothing can blank them: attribution stays. Over-long
 * texts are cut and reported; an over-long lead id is left blank, since half an id is another lead's.
 *
 * @param aliases The contact fields that take the lead's own values; null where there is none.
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
 *     contact: { email: " John@Example.com", first_name: "John" },
 *     utm: { source: "google" },
 *     ml: { score: 0 },
 *   },
 *   {
 *     score: "hki_score",
 *     status: null,
 *     leadId: "hki_lead_id",
 *     utmSource: "hki_utm_source",
 *     utmMedium: null,
 *     utmCampaign: "hki_utm_campaign",
 *     utmTerm: null,
 *     utmContent: null,
 *   },
 *   { text: 64 },
 * );
 * assert.deepEqual(desired, {
 *   hki_utm_source: "google",
 *   hki_score: null,
 *   hki_lead_id: "7",
 *   firstname: "John",
 *   lastname: null,
 *   phone: null,
 *   company: null,
 *   email: "john@example.com",
 * });
 * ```
 */
export function mapLead(lead: Lead, aliases: FieldAliases, limits: FieldLimits): MappedLead {
  const cut: Cut[] = [];
  const entries: [string, FieldValue][] = [];
  const put = (alias: string | null, value: FieldValue, keepIfBlank = false) => {
    if (alias !== null && !(keepIfBlank && value === null)) entries.push([alias, value]);
  };
  const fit = (alias: string | null, given: string | null | undefined): string | null => {
    const value = clean(given);
    const characters = value === null ? [] : [...value];
    if (alias === null || value === null || characters.length <= limits.text) return value;
    cut.push({ alias, length: characters.length, limit: limits.text });
    return alias === aliases.leadId ? null : clean(characters.slice(0, limits.text).join(""));
  };

  const text = (alias: string | null, given: string | null | undefined) =>
    put(alias, fit(alias, given));
  const utm = (alias: string | null, given: string | null | undefined) =>
    put(alias, fit(alias, given), true);

  utm(aliases.utmSource, lead.utm?.source);
  utm(aliases.utmMedium, lead.utm?.medium);
  utm(aliases.utmCampaign, lead.utm?.campaign);
  utm(aliases.utmTerm, lead.utm?.term);
  utm(aliases.utmContent, lead.utm?.content);
  put(aliases.score, cleanScore(lead.ml?.score));
  text(aliases.status, lead.crm_status);
  text(aliases.leadId, lead.id);
  text("firstname", lead.contact.first_name);
  text("lastname", lead.contact.last_name);
  text("phone", lead.contact.phone);
  text("company", lead.contact.company);
  const email = clean(lead.contact.email);
  put("email", email === null ? null : normalizeAddress(email), true);

  // fromEntries defines own properties: an alias such as __proto__ cannot do harm.
  return { desired: Object.fromEntries(entries), cut };
}

/** A text without surrounding space, or null when nothing is left. */
function clean(given: unknown): string | null {
  if (typeof given !== "string") return null;
  // NUL cannot be stored; half a surrogate pair makes PHP refuse the JSON of the whole batch.
  const value = given.replaceAll("\u0000", "").toWellFormed().trim();
  return value === "" ? null : value;
}

function cleanScore(given: unknown): number | null {
  return typeof given === "number" && Number.isFinite(given) && given !== 0 ? given : null;
}
