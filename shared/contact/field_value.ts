import { normalizeAddress } from "shared/lead/address.ts";

/** A value of a contact field as we send it. null: blank. */
export type FieldValue = string | number | null;

/** Mautic's ways of saying nothing: null, "" and, for numbers, 0; JSON has no NaN, it becomes null. */
export function isBlank(value: FieldValue): boolean {
  if (typeof value === "number") return value === 0 || !Number.isFinite(value);
  return value === null || value.trim() === "";
}

export function isSame(alias: string, wanted: FieldValue, held: FieldValue): boolean {
  if (wanted === null || isBlank(wanted)) return isBlank(held) || isZeroText(held);
  if (held === null || isBlank(held)) return false;
  if (typeof wanted === "number" || typeof held === "number") {
    return asNumber(wanted) === asNumber(held);
  }
  if (alias === "email") return normalizeAddress(wanted) === normalizeAddress(held);
  return wanted.trim() === held.trim();
}

/** A blanked number field may come back as the text "0". */
function isZeroText(value: FieldValue): boolean {
  return typeof value === "string" && /^0+(\.0+)?$/.test(value.trim());
}

/** NaN, which equals nothing, for a text that is no number. */
export function asNumber(value: string | number): number {
  return typeof value === "string" && value.trim() === "" ? NaN : Number(value);
}
