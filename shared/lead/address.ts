import { asciiDomain, isDomain } from "./domain.ts";
import { invisible, trimBlank } from "./text.ts";

/** The longest address a fresh Mautic takes: as any text, 64 characters (docs/mautic.md, "Values"). */
export const defaultAddressMaxLength = 64;

export type AddressCheck = { ok: true; address: string } | { ok: false; reason: string };

/** Nothing to trim, remove or convert: nearly all addresses. */
const plain = /^[!-~]*$/;

/**
 * A joiner after a letter of a script that joins (Arabic, Indic …) may be part of a name; elsewhere it
 * has no meaning.
 */
const joiners =
  /(?<![\u0600-\u1cff\u2d7f\ua800-\uabff\ufb1d-\ufefc\u{10800}-\u{1efff}])[\u200c\u200d]/gu;
const otherInvisible = new RegExp(`[${invisible}--[\u200c\u200d]]`, "gv");

/**
 * An e-mail address as it is compared: without the spaces around it and what shows nothing, in lower
 * case, its domain in ASCII. The same as mautic.normalize_address() in SQL, or one person would be two
 * to one of them. Total.
 *
 * Only ASCII letters are put in lower case before the @: others are a fault there anyway.
 */
export function normalizeAddress(email: string): string {
  if (plain.test(email)) return email.toLowerCase();
  const shown = withoutInvisible(email);
  const [local = "", domain, ...more] = shown.split("@");
  if (domain === undefined || more.length > 0) return lowerAscii(shown);
  return `${lowerAscii(local)}@${lowerAscii(asciiDomain(domain))}`;
}

function withoutInvisible(email: string): string {
  return trimBlank(email).replace(otherInvisible, "").replace(joiners, "");
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const refusedBeforeAt = /[^a-z0-9!#$'+\-=?_{|}~.]/u;
const strangeToDomains = /[^\p{L}\p{M}\p{N}\p{S}\-.]/u;

/**
 * Is this an address that Mautic stores as it is given? Returns it normalised, its domain in ASCII, or
 * the reason why not, which names the character at fault. Total: any value may come.
 *
 * Stricter than the standard on purpose. Mautic removes what PHP's `FILTER_SANITIZE_EMAIL` does
 * not know and saves the rest with a 201: `josé@example.test` hits `jos@example.test`, another
 * person (recorded: contact-new-utf8-local, contact-new-idn); `^ & * %` it refuses
 * (docs/mautic.md, "Addresses").
 */
export function validateAddress(
  email: unknown,
  maxLength: number = defaultAddressMaxLength,
): AddressCheck {
  const address = typeof email === "string" ? normalizeAddress(email) : "";
  if (typeof email !== "string" || address === "") {
    return { ok: false, reason: "is missing; an e-mail address is needed" };
  }
  if (address.length > maxLength) {
    const limit = `it has ${address.length} characters, Mautic takes ${maxLength}`;
    return { ok: false, reason: `is too long: ${limit} (MAUTIC_FIELD_MAX_LENGTH)` };
  }
  const parts = address.split("@");
  const [local, domain] = parts;
  if (parts.length !== 2 || !local || !domain) {
    return { ok: false, reason: "must be of the form name@domain.tld" };
  }
  if (local.length > 64) {
    return { ok: false, reason: "has more than 64 characters before the @" };
  }
  const [refused] = refusedBeforeAt.exec(local) ?? [];
  if (refused !== undefined) {
    const reason = `has ${nameOf(refused)} before the @, which Mautic removes or refuses`;
    return { ok: false, reason };
  }
  if (local.startsWith(".") || local.endsWith(".") || local.includes("..")) {
    return { ok: false, reason: "has a dot out of place before the @" };
  }
  const [, givenDomain = ""] = withoutInvisible(email).split("@");
  if (!isDomain(givenDomain, domain)) {
    const [strange] = strangeToDomains.exec(givenDomain) ?? [];
    const reason = strange === undefined
      ? "has a malformed domain"
      : `has a malformed domain: ${nameOf(strange)} is in none`;
    return { ok: false, reason };
  }
  return { ok: true, address };
}

/** A character as a person can look for it: `é (U+00E9)`, or `U+00A0` where there is nothing to see. */
function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `${character} (${code})` : code;
}

/** An address as logs and answers may show it: `j***@e***.com`. Total. */
export function maskAddress(email: string): string {
  const at = email.lastIndexOf("@");
  if (at < 1) return "***";
  const domain = email.slice(at + 1);
  const dot = domain.lastIndexOf(".");
  const top = dot > 0 ? domain.slice(dot) : "";
  return `${[...email][0]}***@${[...domain][0] ?? ""}***${top}`;
}

/**
 * What looks like an address: `"quoted name"@`, `name@`, or else any sign before an @ that a domain
 * follows. Bounded on both sides, so that no text makes it slow; %40 is the @ of a query string.
 */
const addressLike =
  /(?:"[^"\n]{1,64}"|[^\s"'<>()[\],;:\\/=?&@]{1,320}|[^\s@])(?:@|%40)[^\s"'<>()[\],;:\\/=?&@%]{1,255}/gi;

/** Masks every e-mail address within a text. Total. */
export function maskAddresses(text: string): string {
  if (!text.includes("@") && !text.includes("%40")) return text;
  return text.replace(addressLike, (found) => {
    const plain = found.replace(/%40/i, "@");
    // A trailing full stop ends the sentence, not the address.
    return plain.endsWith(".") ? `${maskAddress(plain.slice(0, -1))}.` : maskAddress(plain);
  });
}
