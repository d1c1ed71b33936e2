/** Domains with letters beyond ASCII, as DNS and Mautic know them: bücher.example is xn--bcher-kva.example. */

/** The dots of Chinese and Japanese keyboards. */
const dots = /[\u3002\uff0e\uff61]/g;

/** The longest domain that DNS knows; it also bounds the time that a hostile one takes. */
const maxLength = 253;

/**
 * Letters that asciiDomain() would map otherwise than UTS 46 does, or than a Postgres with older data of
 * Unicode: lunate sigma, Cherokee, rare Cyrillic and mathematical letters, capitals of Georgian and of
 * what came after Unicode 10. Found by comparing all code points.
 */
const mappedDifferently =
  /[\u03f2\u13a0-\u13fd\u1c80-\u1cbf\u2c2f\ua7b8-\ua7f5\uab70-\uabbf\u{10570}-\u{105ff}\u{10d50}-\u{10d65}\u{16e40}-\u{16e5f}\u{1ccd6}-\u{1ccf9}\u{1d6d3}\u{1d70d}\u{1d747}\u{1d781}\u{1d7bb}\u{1e030}-\u{1e06d}]/u;

/** Of ASCII, a domain has letters, digits, hyphens and dots. */
const notOfDomains = /[^a-z0-9.\u{a1}-\u{10ffff}\-]/u;

const onlyAscii = /^[\0-\x7f]*$/;

/**
 * A domain in ASCII, lower case. The same as mautic.ascii_domain() in SQL, whichever Unicode data
 * both have; therefore not by the URL parser, which SQL does not have and whose rules change with its
 * version. Whether there can be such a domain is for isDomain() to say. Total.
 *
 * @returns The domain as it is, where its letters have no form in ASCII that is beyond doubt.
 */
export function asciiDomain(domain: string): string {
  if (onlyAscii.test(domain)) return domain.toLowerCase();
  const mapped = domain
    .replace(dots, ".")
    .normalize("NFKD")
    // As UTS 46 has it: a capital sigma is σ at the end of a word too, an iota subscript a letter.
    .replaceAll("\u03a3", "\u03c3")
    .replaceAll("\u0345", "\u03b9")
    .toLowerCase()
    .normalize("NFC");
  const isConvertible = [...mapped].length <= maxLength && !notOfDomains.test(mapped) &&
    !mappedDifferently.test(domain);
  if (!isConvertible) return domain;
  const labels = mapped.split(".");
  return labels.map((label) => onlyAscii.test(label) ? label : `xn--${punycode(label)}`).join(".");
}

/**
 * May there be a domain of this spelling, and is that its form in ASCII? By UTS 46 as the URL parser
 * has it: nothing that only looks alike is sent to. Total.
 *
 * @param domain As it was given: letters beyond ASCII, or not.
 * @param ascii What asciiDomain() made of it.
 */
export function isDomain(domain: string, ascii: string): boolean {
  const labels = ascii.split(".");
  const isWellFormed = labels.length > 1 && labels.every((label) => domainLabel.test(label)) &&
    topLevelDomain.test(labels.at(-1) ?? "");
  if (!isWellFormed) return false;
  return onlyAscii.test(domain) || URL.parse(`http://${domain}`)?.hostname === ascii;
}

const domainLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const topLevelDomain = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/;

const digits = "abcdefghijklmnopqrstuvwxyz0123456789";

/**
 * The Punycode of a label (RFC 3492), without `xn--`: its ASCII characters, and for each other one the
 * distance that a decoder has to walk until it inserts it.
 */
export function punycode(label: string): string {
  const points = [...label].map((character) => character.codePointAt(0) ?? 0);
  const basic = points.filter((point) => point < 128);
  let encoded = String.fromCodePoint(...basic) + (basic.length > 0 ? "-" : "");
  let handled = basic.length;
  let delta = 0;
  let bias = 72;
  let reached = 128;
  for (const next of [...new Set(points)].filter((point) => point >= 128).sort((a, b) => a - b)) {
    delta += (next - reached) * (handled + 1);
    reached = next + 1;
    for (const point of points) {
      if (point < next) delta++;
      if (point !== next) continue;
      encoded += variableLength(delta, bias);
      bias = adapted(delta, handled + 1, handled === basic.length);
      delta = 0;
      handled++;
    }
    delta++;
  }
  return encoded;
}

/** A number in digits to the base 36, of which each says by its size whether it is the last. */
function variableLength(number: number, bias: number): string {
  let text = "";
  for (let place = 36;; place += 36) {
    const threshold = Math.min(Math.max(place - bias, 1), 26);
    if (number < threshold) return text + digits.charAt(number);
    text += digits.charAt(threshold + (number - threshold) % (36 - threshold));
    number = Math.floor((number - threshold) / (36 - threshold));
  }
}

/** Distances are alike: the bias for the next one, by the last. */
function adapted(delta: number, handled: number, isFirst: boolean): number {
  let rest = Math.floor(delta / (isFirst ? 700 : 2));
  rest += Math.floor(rest / handled);
  let bias = 0;
  for (; rest > 455; bias += 36) rest = Math.floor(rest / 35);
  return bias + Math.floor(36 * rest / (rest + 38));
}
