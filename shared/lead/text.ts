/**
 * A text as Mautic and Postgres take it: without NUL, which Postgres cannot store, without halves of
 * characters, which make PHP refuse the JSON of a whole batch, and without surrounding space. Total.
 */
export function cleanText(given: string): string {
  return given.replaceAll("\u0000", "").toWellFormed().trim();
}
