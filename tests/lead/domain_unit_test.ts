import assert from "node:assert/strict";
import { asciiDomain, isDomain, punycode } from "shared/lead/domain.ts";
import { punycodeSamples } from "../support/punycode.ts";

Deno.test("punycode() encodes the samples of RFC 3492", () => {
  for (const [label, encoded] of punycodeSamples) assert.equal(punycode(label), encoded);
});

function urlDomain(domain: string): string | undefined {
  return URL.parse(`http://${domain}`)?.hostname;
}

Deno.test("asciiDomain() converts every letter as the URL parser does, or leaves the domain as it is", () => {
  const leftAlone = [];
  for (let point = 0x80; point < 0x20000; point++) {
    const letter = String.fromCodePoint(point);
    if (!/\p{L}/u.test(letter) || /\p{Default_Ignorable_Code_Point}/u.test(letter)) continue;
    for (const domain of [`a${letter}b.test`, `\u0628${letter}\u0628.test`, `${letter}.test`]) {
      const expected = urlDomain(domain);
      const converted = asciiDomain(domain);
      if (expected === undefined || converted === expected) continue;
      assert.equal(converted, domain);
      assert.ok(!isDomain(domain, converted));
      leftAlone.push(point);
    }
  }
  // Rare Greek, Cherokee, Cyrillic, Georgian, Latin, Vithkuqi, Medefaidrin and mathematical letters.
  assert.ok(new Set(leftAlone).size < 450);
});

Deno.test("isDomain() goes by what the URL parser makes of the given spelling, and takes no address of a host", () => {
  assert.ok(isDomain("bücher.example", "xn--bcher-kva.example"));
  assert.ok(!isDomain("bücher.example", "xn--bcher-kvb.example"));
  assert.ok(!isDomain("１.１.１.１", "1.1.1.1"));
  assert.ok(!isDomain("0x7f.1", "0x7f.1"));
  // A joiner between letters that it joins is part of a Persian name.
  const persian = "نامه\u200cای.example";
  assert.ok(isDomain(persian, asciiDomain(persian)));
});

Deno.test("asciiDomain() takes no time for a hostile domain", () => {
  const startedAt = performance.now();
  asciiDomain("ü".repeat(1_000_000));
  asciiDomain(Array.from({ length: 250 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join(""));
  assert.ok(performance.now() - startedAt < 2_000);
});
