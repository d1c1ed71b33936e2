import fc from "fast-check";
import assert from "node:assert/strict";
import { cleanText } from "shared/lead/text.ts";

for (
  const [what, given, expected] of [
    ["a name that was copied", "\u200bMü\u00adller\u00a0", "Müller"],
    ["a lone zero-width space", "\u200b", ""],
    ["a lone no-break space", "\u00a0", ""],
    ["nothing but variation selectors and joiners", "\ufe0f\u200d\u{e0100}", ""],
    ["Braille's blank and a filler of Hangul", "\u2800\u3164", ""],
    ["direction marks around a name", "\u202bדוד\u202c\u200f", "דוד"],
    ["line ends and tabs", "\r\n\tAnn\u2028", "Ann"],
    ["spaces within", " Ann  Marie ", "Ann  Marie"],
    ["a joiner within a Persian name", "مه\u200cناز", "مه\u200cناز"],
    ["a joined emoji", "👩\u200d💻", "👩\u200d💻"],
    ["an emoji's presentation at the end", "Ann \u2764\ufe0f", "Ann \u2764\ufe0f"],
    ["a variant at the end of a Japanese name", "辻\u{e0100} ", "辻\u{e0100}"],
    ["NUL", "A\0nn\0", "Ann"],
    ["half a surrogate pair", "Ann\ud83d", "Ann\ufffd"],
    ["HTML", "Tom & <b>Jerry</b>", "Tom & <b>Jerry</b>"],
  ] as const
) {
  Deno.test(`cleanText() cleans ${what}`, () => {
    assert.equal(cleanText(given), expected);
  });
}

Deno.test("cleanText() leaves what it cleaned, surrounded by nothing", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (a, b) => {
    for (const given of [a, b, `\u200b ${a}\u00a0\u00ad`]) {
      const cleaned = cleanText(given);
      assert.equal(cleanText(cleaned), cleaned);
      assert.equal(cleaned.trim(), cleaned);
      assert.ok(cleaned.isWellFormed());
    }
  }));
});

Deno.test("cleanText() is fast on a long run of spaces", () => {
  const startedAt = performance.now();
  cleanText(`a${" ".repeat(300_000)}b`);
  assert.ok(performance.now() - startedAt < 2_000);
});
