/** Tokens, secrets and ids, as Mautic makes them. */

/** `length` characters of base64url or hex alphabet, from the injected randomness. */
export function randomText(random: () => number, length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}

export const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
export const HEX = "0123456789abcdef";
