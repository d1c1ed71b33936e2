/** Invisible characters and spaces, which pasted texts carry around and within them. */

/**
 * What shows nothing and has no width: zero-width spaces and joiners, bidirectional controls, soft
 * hyphens, byte order marks, fillers, variation selectors (Unicode's own property, and its marks of
 * annotations). A character class for regular expressions with the flag v.
 */
export const invisible = String.raw`[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]`;

/** That, and spaces of all kinds, Braille's blank and control characters: what surrounds a text. */
export const blank = String.raw`[${invisible}\p{White_Space}\p{Cc}\u2800]`;

/** What changes how the character before it looks: of an emoji, of a Japanese or Mongolian name. */
const modifiers = String.raw`[\p{Variation_Selector}\u17b4\u17b5\u{e0020}-\u{e007f}]`;

// Looking behind makes a search begin once a run: else a long run of spaces takes quadratic time.
const atStart = new RegExp(`^${blank}+`, "v");
const atEnd = new RegExp(`(?<!${blank})${blank}+$`, "v");
const atEndOfText = new RegExp(`(?<![${blank}--${modifiers}])[${blank}--${modifiers}]+$`, "v");

/** A text without the spaces and invisible characters around it. Total. */
export function trimBlank(text: string): string {
  return text.replace(atStart, "").replace(atEnd, "");
}

/**
 * A name or other text as it can be stored and is worth sending. Total.
 *
 * Spaces and invisible characters go from both ends, soft hyphens and zero-width spaces from
 * everywhere: they only say where a line may break. Within, U+200C and U+200D stay, since they spell
 * Persian and Indic names and join emoji. NUL cannot be stored; half a surrogate pair makes PHP
 * refuse the JSON of the whole batch.
 *
 * @returns The text; empty where there is nothing to see.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cleanText } from "shared/lead/text.ts";
 *
 * assert.equal(cleanText("\u200bMü\u00adller\u00a0"), "Müller");
 * assert.equal(cleanText("\u200b"), "");
 * ```
 */
export function cleanText(given: string): string {
  return given
    .toWellFormed()
    .replace(/[\0\u00ad\u200b]/g, "")
    .replace(atStart, "")
    .replace(atEndOfText, "");
}
