import fc from "fast-check";
import assert from "node:assert/strict";
import {
  maskAddress,
  maskAddresses,
  normalizeAddress,
  validateAddress,
} from "shared/lead/address.ts";
import { faulty, pasted } from "../support/addresses.ts";

for (const [given, address] of pasted) {
  Deno.test(`validateAddress() takes ${JSON.stringify(given)}`, () => {
    assert.deepEqual(validateAddress(given), { ok: true, address });
  });
}

for (
  const [given, reason] of [
    ["", /missing/],
    ["   ", /missing/],
    ["\u200b\u00a0", /missing/],
    [null, /missing/],
    [42, /missing/],
    ["not-an-email", /form/],
    ["a@b@example.test", /form/],
    ["@example.test", /form/],
    ...faulty,
    ["a,b@example.test", /, \(U\+002C\) before the @/],
    [".a@example.test", /dot/],
    ["a..b@example.test", /dot/],
    ["a@example", /domain/],
    ["a@-x.test", /domain/],
    ["a@example.test,", /domain/],
    ["a@1.2.3.4", /domain/],
    [`a@${"b".repeat(60)}.test`, /too long.*67.*64/],
    [`${"a".repeat(65)}@b.test`, /too long/],
  ] as const
) {
  Deno.test(`validateAddress() refuses ${JSON.stringify(given)}`, () => {
    const checked = validateAddress(given);
    assert.ok(!checked.ok);
    assert.match(checked.reason, reason);
  });
}

Deno.test("validateAddress() goes by the length that Mautic is set to", () => {
  assert.ok(validateAddress(`a@${"b".repeat(60)}.test`, 191).ok);
});

Deno.test("validateAddress() is total, and takes its own results", () => {
  fc.assert(fc.property(fc.oneof(fc.emailAddress(), fc.anything()), (given) => {
    const checked = validateAddress(given, 300);
    if (!checked.ok) return;
    assert.deepEqual(validateAddress(checked.address, 300), checked);
    assert.equal(checked.address, normalizeAddress(String(given)));
  }));
});

Deno.test("maskAddress() shows the first letters and the top-level domain", () => {
  assert.equal(maskAddress("john@example.com"), "j***@e***.com");
  assert.equal(maskAddress("nonsense"), "***");
});

Deno.test("maskAddresses() masks addresses wherever they are in a text", () => {
  for (
    const [given, expected] of [
      ["email: ann@example.test is invalid.", "email: a***@e***.test is invalid."],
      ["to ann@example.test.", "to a***@e***.test."],
      ["<ann@example.test>,bob@b.test", "<a***@e***.test>,b***@b***.test"],
      ["?val=ann%40example.test&x=1", "?val=a***@e***.test&x=1"],
      ['{"email":"ann@example.test"}', '{"email":"a***@e***.test"}'],
      ['"ann lee"@example.test', '"***@e***.test'],
      ["josé@example.test", "j***@e***.test"],
      ["no address at 5 @ noon", "no address at 5 @ noon"],
    ] as const
  ) {
    assert.equal(maskAddresses(given), expected);
  }
});

Deno.test("maskAddresses() leaves no address, and is fast on hostile texts", () => {
  fc.assert(fc.property(fc.emailAddress(), fc.string(), fc.string(), (address, before, after) => {
    assert.ok(!maskAddresses(`${before} ${address} ${after}`).includes(address));
  }));
  const startedAt = performance.now();
  maskAddresses(`${"a".repeat(100_000)}@`);
  maskAddresses("a@".repeat(50_000));
  assert.ok(performance.now() - startedAt < 2_000);
});
