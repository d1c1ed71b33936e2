import { normalizeAddress } from "./address.ts";
import type { Lead } from "./lead.ts";

/** A value of a contact field as we send it. null: blank. */
export type FieldValue = string | number | null;

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

/** What is known of a contact, as the database keeps it. */
export interface ContactState {
  /** What Mautic holds by its last answer, for aliases we have sent. */
  snapshot: Record<string, FieldValue>;
  /** Desired values that Mautic did not take: not sent again until they change. */
  refused: Record<string, FieldValue>;
  /** Aliases this very lead has filled before: the only ones it may blank. */
  filled: string[];
}

export interface ContactDelta {
  fields: Record<string, string | number>;
  /** Aliases to blank (needs `overwriteWithBlank`; on an edit by id only). */
  blanks: string[];
}

export interface ConfirmedAnswer {
  snapshot: Record<string, FieldValue>;
  refused: Record<string, FieldValue>;
  notTaken: { alias: string; sent: FieldValue; got: "dropped" | "changed" }[];
}

/**
 * The contact fields a lead stands for. Pure and total.
 *
 * A score of 0 is a blank, because Mautic ignores zeros (docs/mautic.md, "Values"). UTM values that
 * are missing are left out altogether, so that nothing can blank them: attribution stays. Over-long
 * texts are cut and reported; an over-long lead id is left blank, since half an id is another lead's.
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

/**
 * What has to be sent so that the contact shows `desired`: nothing that Mautic holds already or
 * has refused before, and blanks only for what this lead has filled. Pure and total.
 */
export function contactDelta(
  desired: Record<string, FieldValue>,
  state: ContactState,
): ContactDelta {
  const fields: [string, string | number][] = [];
  const blanks: string[] = [];
  for (const [alias, value] of Object.entries(desired)) {
    if (isKnown(state.snapshot, alias, value) || isKnown(state.refused, alias, value)) continue;
    if (value !== null && !isBlank(value)) fields.push([alias, value]);
    else if (alias !== "email" && state.filled.includes(alias)) blanks.push(alias);
  }
  return { fields: Object.fromEntries(fields), blanks };
}

/**
 * Reads Mautic's answer back. Mautic drops unknown aliases, zeros and dates that are none, strips
 * HTML and decodes entities, all with a 200 or 201: `Tom & Jerry <3` becomes `Tom & Jerry` (recorded:
 * contact-new-html-entities; docs/mautic.md, "Values").
 *
 * `snapshot` is what Mautic now holds for each alias sent: for a value it took, the value; for one
 * it did not, its own, so that going back to that one sends nothing and going anywhere else does.
 * `refused` keeps what it did not take. With both merged into the state, the next delta is empty.
 */
export function confirmAnswer(
  sent: ContactDelta,
  answered: Record<string, unknown>,
): ConfirmedAnswer {
  const snapshot: [string, FieldValue][] = [];
  const refused: [string, FieldValue][] = [];
  const notTaken: ConfirmedAnswer["notTaken"] = [];
  const wanted: [string, FieldValue][] = [
    ...Object.entries(sent.fields),
    ...sent.blanks.map((alias): [string, FieldValue] => [alias, null]),
  ];
  for (const [alias, value] of wanted) {
    const held = Object.hasOwn(answered, alias) ? scalar(answered[alias]) : null;
    if (isSame(alias, value, held) || isShortened(value, held)) {
      snapshot.push([alias, value]);
    } else {
      snapshot.push([alias, held]);
      refused.push([alias, value]);
      notTaken.push({ alias, sent: value, got: isBlank(held) ? "dropped" : "changed" });
    }
  }
  return {
    snapshot: Object.fromEntries(snapshot),
    refused: Object.fromEntries(refused),
    notTaken,
  };
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

function scalar(value: unknown): FieldValue {
  if (typeof value === "string" || typeof value === "number") return value;
  return typeof value === "boolean" ? Number(value) : null;
}

function isKnown(values: Record<string, FieldValue>, alias: string, value: FieldValue): boolean {
  return Object.hasOwn(values, alias) && isSame(alias, value, values[alias] ?? null);
}

/** Mautic's ways of saying nothing: null, "" and, for numbers, 0; JSON has no NaN, it becomes null. */
function isBlank(value: FieldValue): boolean {
  if (typeof value === "number") return value === 0 || !Number.isFinite(value);
  return value === null || value.trim() === "";
}

function isSame(alias: string, wanted: FieldValue, held: FieldValue): boolean {
  if (wanted === null || isBlank(wanted)) return isBlank(held) || isZeroText(held);
  if (held === null || isBlank(held)) return false;
  if (typeof wanted === "number" || typeof held === "number") {
    return asNumber(wanted) === asNumber(held);
  }
  if (alias === "email") return normalizeAddress(wanted) === normalizeAddress(held);
  return wanted.trim() === held.trim();
}

/**
 * A number field without decimals keeps 7.25 and says 7 in its answer; its webhook says 7.25
 * (recorded: contact-custom-patch-float-string). It was taken.
 */
function isShortened(wanted: FieldValue, held: FieldValue): boolean {
  if (typeof wanted !== "number" || Number.isInteger(wanted)) return false;
  // 0 is no shortened 0.5: Mautic drops what is below 1 as it drops 0 (docs/mautic.md, "Values").
  if (held === null || isBlank(held)) return false;
  return [Math.trunc(wanted), Math.round(wanted)].includes(asNumber(held));
}

/** A blanked number field may come back as the text "0". */
function isZeroText(value: FieldValue): boolean {
  return typeof value === "string" && /^0+(\.0+)?$/.test(value.trim());
}

/** NaN, which equals nothing, for a text that is no number. */
function asNumber(value: string | number): number {
  return typeof value === "string" && value.trim() === "" ? NaN : Number(value);
}
