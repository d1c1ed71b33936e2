/** The longest address a fresh Mautic takes: as any text, 64 characters (docs/mautic.md, "Values"). */
export const defaultAddressMaxLength = 64;

export type AddressCheck = { ok: true; address: string } | { ok: false; reason: string };

/** Space, tab, line ends, no-break space and byte order mark: what imports and copied pages leave. */
const surroundings = /^[ \t\n\r\u00a0\ufeff]+|[ \t\n\r\u00a0\ufeff]+$/g;

/**
 * An e-mail address as it is compared: trimmed, lower case. The same as mautic.normalize_address() in
 * SQL, or one person would be two to one of them.
 */
export function normalizeAddress(email: string): string {
  return email.replace(surroundings, "").toLowerCase();
}

const localCharacters = /^[a-z0-9!#$'+\-=?_{|}~.]+$/;
const domainLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const topLevelDomain = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/;

/**
 * Is this an address that Mautic stores as it is given? Returns it normalised, or the reason why
 * not. Total: any value may come.
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
  if (typeof email !== "string" || email.trim() === "") {
    return { ok: false, reason: "is missing; an e-mail address is needed" };
  }
  const address = normalizeAddress(email);
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
  if (!localCharacters.test(local)) {
    return { ok: false, reason: "has a character before the @ that Mautic removes or refuses" };
  }
  if (local.startsWith(".") || local.endsWith(".") || local.includes("..")) {
    return { ok: false, reason: "has a dot out of place before the @" };
  }
  const labels = domain.split(".");
  if (
    labels.length < 2 || !labels.every((label) => domainLabel.test(label)) ||
    !topLevelDomain.test(labels.at(-1) ?? "")
  ) {
    return { ok: false, reason: "has a malformed domain (ASCII or xn-- names only)" };
  }
  return { ok: true, address };
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
