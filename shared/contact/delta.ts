import { type FieldValue, isBlank, isSame } from "./field_value.ts";

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

/**
 * What has to be sent so that the contact shows `desired`: nothing that Mautic holds already or
 * has refused before, and blanks only for what this lead has filled. Pure and total.
 *
 * @example Only what changed is sent, and only what this lead has filled is blanked
 * ```ts
 * import assert from "node:assert/strict";
 * import { contactDelta } from "shared/contact/delta.ts";
 *
 * const delta = contactDelta(
 *   { firstname: "John", hki_score: 85, phone: null, company: null },
 *   { snapshot: { firstname: "John", phone: "1", company: "ACME" }, refused: {}, filled: ["phone"] },
 * );
 * assert.deepEqual(delta, { fields: { hki_score: 85 }, blanks: ["phone"] });
 * ```
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

function isKnown(values: Record<string, FieldValue>, alias: string, value: FieldValue): boolean {
  return Object.hasOwn(values, alias) && isSame(alias, value, values[alias] ?? null);
}
