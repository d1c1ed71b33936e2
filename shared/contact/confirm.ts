import type { ContactDelta } from "./delta.ts";
import { asNumber, type FieldValue, isBlank, isSame } from "./field_value.ts";

export interface ConfirmedAnswer {
  snapshot: Record<string, FieldValue>;
  refused: Record<string, FieldValue>;
  notTaken: { alias: string; sent: FieldValue; got: "dropped" | "changed" }[];
}

/**
 * Reads Mautic's answer back. Mautic drops unknown aliases, zeros and dates that are none, strips
 * HTML and decodes entities, all with a 200 or 201: `Tom & Jerry <3` becomes `Tom & Jerry` (recorded:
 * contact-new-html-entities; docs/mautic.md, "Values").
 *
 * `snapshot` is what Mautic now holds for each alias sent: for a value it took, the value; for one
 * it did not, its own, so that going back to that one sends nothing and going anywhere else does.
 * `refused` keeps what it did not take. With both merged into the state, the next delta is empty.
 * Pure and total.
 *
 * @param answered The contact's fields in the answer, by alias.
 *
 * @example A field that Mautic does not know is not sent again
 * ```ts
 * import assert from "node:assert/strict";
 * import { confirmAnswer } from "shared/contact/confirm.ts";
 *
 * const sent = { fields: { firstname: "John", hki_score: 85 }, blanks: [] };
 * const { snapshot, refused, notTaken } = confirmAnswer(sent, { firstname: "John" });
 * assert.deepEqual(snapshot, { firstname: "John", hki_score: null });
 * assert.deepEqual(refused, { hki_score: 85 });
 * assert.deepEqual(notTaken, [{ alias: "hki_score", sent: 85, got: "dropped" }]);
 * ```
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

/**
 * The numbers below 1 that were sent and that the answer shows as 0, as it shows every number
 * without its decimals: taken, or dropped as Mautic drops zeros? Only reading them tells. Pure and
 * total.
 */
export function inDoubt(
  sent: ContactDelta,
  answered: Record<string, unknown>,
): [alias: string, value: number][] {
  return Object.entries(sent.fields).flatMap(([alias, value]) =>
    typeof value === "number" && value !== 0 && Math.abs(value) < 1 &&
      Object.hasOwn(answered, alias) && isZero(scalar(answered[alias]))
      ? [[alias, value] as [string, number]]
      : []
  );
}

function isZero(held: FieldValue): boolean {
  return held !== null && asNumber(held) === 0;
}

function scalar(value: unknown): FieldValue {
  if (typeof value === "string" || typeof value === "number") return value;
  return typeof value === "boolean" ? Number(value) : null;
}

/**
 * A number field without decimals keeps 7.25 and says 7 in its answer; its webhook says 7.25
 * (recorded: contact-custom-patch-float-string). It was taken.
 */
function isShortened(wanted: FieldValue, held: FieldValue): boolean {
  if (typeof wanted !== "number" || Number.isInteger(wanted)) return false;
  // 0 is no shortened 0.5 (see inDoubt): Mautic drops what is below 1 as it drops 0 (docs/mautic.md,
  // "Values").
  if (held === null || isBlank(held)) return false;
  return [Math.trunc(wanted), Math.round(wanted)].includes(asNumber(held));
}
