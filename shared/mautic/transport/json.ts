import { z } from "zod";

export const anyRecord = z.record(z.string(), z.unknown());

/**
 * PHP writes a list with gaps as an object, and an empty object as a list: the entries by key,
 * whichever came. null and absent: none.
 */
export function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

export function valuesOf(value: unknown): unknown[] {
  return entriesOf(value).map(([, each]) => each);
}

/** An id comes as a number or, e.g. from statistics, as text. 0 and null are no ids. */
export const idSchema = z.union([
  z.int().positive(),
  z.string().regex(/^[1-9]\d{0,14}$/).transform(Number),
]);
