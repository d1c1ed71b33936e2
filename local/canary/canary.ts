/** Canaries: values that must not be found, and the search for them in whatever form. */

/** The environment variable with the mark that secrets made for tests begin with, where it is set. */
export const markVariable = "LEAD_SYNC_SECRET_MARK";

/**
 * A secret made for a test or the local stack, recognisable while the gate runs: it looks for the
 * mark in all that was printed and in Postgres' logs.
 */
export function marked(secret: string, prefix = ""): string {
  return `${prefix}${Deno.env.get(markVariable) ?? ""}${secret}`;
}

/** A value that must not be found, in all its forms, and what to call it when it is. */
export interface Canary {
  name: string;
  /** In lower case. */
  forms: string[];
}

export function canary(name: string, value: string): Canary {
  return { name, forms: [...new Set(formsOf(value).map((form) => form.toLowerCase()))] };
}

/** Where a canary was found: `mautic.contact.address`, `server log` … */
export interface Sighting {
  where: string;
  canary: string;
}

/**
 * The forms in which a value may have been put down: plain and in other cases, in an address, in
 * JSON, in hexadecimal (as Postgres shows bytes) and in base64 at each of the three places where it
 * may begin.
 */
export function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = [0, 1, 2].map((shift) => {
    const shifted = btoa(String.fromCharCode(...new Uint8Array(shift), ...bytes));
    // The first and last signs depend on what stands around it.
    return shifted.slice(shift === 0 ? 0 : 4, bytes.length < 6 ? undefined : -4);
  });
  return [
    value,
    encodeURIComponent(value),
    encodeURIComponent(encodeURIComponent(value)),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll("/", "\\/"),
    hex,
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/** The names of the canaries that are in a text, in upper or lower case. */
export function canariesIn(text: string, canaries: Canary[]): string[] {
  const lower = text.toLowerCase();
  // Base64 is broken into lines by Postgres, and by mail.
  const joined = lower.replace(/\s+|\\r|\\n/g, "");
  return canaries.filter(({ forms }) =>
    forms.some((form) => lower.includes(form) || joined.includes(form))
  ).map(({ name }) => name);
}

/** Looks through texts by what they are called. */
export function lookThrough(texts: Record<string, string>, canaries: Canary[]): Sighting[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    canariesIn(text, canaries).map((name) => ({ where, canary: name }))
  );
}
