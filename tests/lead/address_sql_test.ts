import fc from "fast-check";
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { normalizeAddress } from "shared/lead/address.ts";
import { faulty, pasted } from "../support/addresses.ts";
import { testDatabase } from "../support/database.ts";
import { punycodeSamples } from "../support/punycode.ts";

async function normalized(sql: Sql, addresses: string[]): Promise<(string | null)[]> {
  const rows = await sql<{ address: string | null }[]>`
    select mautic.normalize_address(given) as address
    from unnest(${addresses}::text[]) with ordinality g(given, place) order by place`;
  return rows.map(({ address }) => address);
}

Deno.test("mautic.punycode() encodes the samples of RFC 3492", async () => {
  await using db = await testDatabase();
  const rows = await db.sql<{ encoded: string }[]>`
    select mautic.punycode(label) as encoded
    from unnest(${punycodeSamples.map(([label]) => label)}::text[]) with ordinality s(label, place)
    order by place`;
  assert.deepEqual(rows.map(({ encoded }) => encoded), punycodeSamples.map(([, code]) => code));
});

Deno.test("addresses are compared alike in SQL, however they were pasted", async () => {
  await using db = await testDatabase();
  assert.deepEqual(
    await normalized(db.sql, pasted.map(([given]) => given)),
    pasted.map(([, address]) => address),
  );
  const faults = faulty.map(([given]) => given);
  assert.deepEqual(await normalized(db.sql, faults), faults.map(normalizeAddress));
  assert.deepEqual(
    [...await db.sql`select mautic.normalize_address(null) as address`],
    [{ address: null }],
  );
});

Deno.test("SQL and TypeScript agree about every character of an address, wherever it stands", async () => {
  await using db = await testDatabase();
  const points = Array.from({ length: 0x10ffff }, (_, n) => n + 1).filter((point) => {
    const character = String.fromCodePoint(point);
    if (/\p{Surrogate}/u.test(character)) return false;
    // Of the tens of thousands that are alike, a few.
    return point % 101 === 0 ||
      point < 0x20000 && !/[\p{Cn}\p{Co}\p{Script=Han}\p{Script=Hangul}\p{So}]/u.test(character) &&
        (point < 0x3000 || point % 5 === 0);
  });
  for (const place of ["#x#y@a.test#", "x@a#b.test", "x@#\u0628\u200c.\u0628#"]) {
    const given = points.map((point) => place.replaceAll("#", String.fromCodePoint(point)));
    assert.deepEqual(await normalized(db.sql, given), given.map(normalizeAddress));
  }
});

const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom(
    ..."@@@..- \u200b\u200c\u200d\u00ad\u00a0\ufeff\u2028\u3002",
    ..."aZüÜßẞςΣ\u0301\u0345İıﬁ\u0646\u0915\u094d",
    "xn--",
    "bücher",
    "例え",
    "example.com",
  ),
);
const address = fc.array(piece, { maxLength: 8 })
  .map((pieces) => pieces.join("").replaceAll("\0", "").toWellFormed());

Deno.test("SQL and TypeScript agree about any text, and about what they made of it", async () => {
  await using db = await testDatabase();
  await fc.assert(
    fc.asyncProperty(fc.array(address, { minLength: 200, maxLength: 200 }), async (given) => {
      const expected = given.map(normalizeAddress);
      assert.deepEqual(await normalized(db.sql, given), expected);
      assert.deepEqual(expected.map(normalizeAddress), expected);
    }),
    { numRuns: 30 },
  );
});

Deno.test("an address in a column of any collation can be compared", async () => {
  await using db = await testDatabase();
  await db
    .sql`create collation public.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`;
  const rows = await db.sql`
    select mautic.normalize_address(given collate public.any_case) as address
    from (values ('A@B.Test'), (' Ä@BÜ.Test')) g(given)`;
  assert.deepEqual(rows.map((row) => row["address"]), ["a@b.test", "Ä@xn--b-eha.test"]);
});

Deno.test("mautic.normalize_address() takes no time for a hostile text", async () => {
  await using db = await testDatabase();
  const startedAt = performance.now();
  const distinct = Array.from({ length: 250 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join("");
  await normalized(db.sql, [
    `a${" ".repeat(300_000)}b`,
    `a@${"ü".repeat(300_000)}`,
    `a@${distinct}`,
    "\u200ba".repeat(100_000),
  ]);
  assert.ok(performance.now() - startedAt < 5_000);
});

Deno.test("mautic.address_of() knows what is written where there is no address", async () => {
  await using db = await testDatabase();
  const read = async (given: string | null) =>
    (await db.sql`select mautic.address_of(${given}) as address`)[0]?.["address"];
  for (
    const none of [
      null,
      "",
      " ",
      "\u200b",
      "\u00a0\ufeff",
      "-",
      "n/a",
      " N/A\u00a0",
      "NULL",
      "None",
      "k.A.",
      "Keine",
      "x",
      ".",
    ]
  ) {
    assert.equal(await read(none), null);
  }
  // A mistyped address is to be reported.
  for (
    const [given, address] of [[" Ann@Example.test", "ann@example.test"], [
      "ann.example.test",
      "ann.example.test",
    ], [
      "@",
      "@",
    ]]
  ) {
    assert.equal(await read(given!), address);
  }
});
