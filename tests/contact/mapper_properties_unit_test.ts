import fc from "fast-check";
import assert from "node:assert/strict";
import { confirmAnswer } from "shared/contact/confirm.ts";
import { contactDelta } from "shared/contact/delta.ts";
import { mapLead } from "shared/lead/map_lead.ts";
import { fieldValue, limits, payload, state } from "../support/arbitraries.ts";
import { fieldMap, mappedAliases, utmAliases } from "../support/payload.ts";

const allAliases = [...mappedAliases, "email"];

Deno.test("mapLead() only ever uses mapped aliases, and none of which the lead says nothing", () => {
  const some = fc.shuffledSubarray(fieldMap);
  fc.assert(fc.property(payload, some, (each, map) => {
    const mapped = Object.keys(mapLead(each, map, limits).desired);
    const said = map.map(({ alias }) => alias).filter((alias) => Object.hasOwn(each.fields, alias));
    const order = mapped.filter((alias) => alias !== "email");
    assert.deepEqual(order, said.filter((alias) => mapped.includes(alias)));
    assert.ok(!mapped.includes("email") || mapped.at(-1) === "email");
  }));
});

Deno.test("mapLead() never wants more characters than a field takes, except of an address", () => {
  fc.assert(fc.property(payload, fc.integer({ min: 1, max: 64 }), (each, text) => {
    for (const [alias, value] of Object.entries(mapLead(each, fieldMap, { text }).desired)) {
      if (typeof value !== "string") continue;
      assert.ok(alias === "email" || [...value].length <= text);
      assert.equal(value, value.trim());
      assert.notEqual(value, "");
    }
  }));
});

Deno.test("a UTM value is never blanked, whatever is known of the contact", () => {
  fc.assert(fc.property(payload, state, (each, known) => {
    const delta = contactDelta(mapLead(each, fieldMap, limits).desired, {
      ...known,
      filled: [...known.filled, ...allAliases],
    });
    for (const alias of utmAliases) {
      assert.ok(!delta.blanks.includes(alias));
      assert.notEqual(delta.fields[alias], "");
    }
    assert.ok(!delta.blanks.includes("email"));
  }));
});

Deno.test("an unchanged field is never sent, nor one blanked that this lead did not fill", () => {
  fc.assert(fc.property(payload, state, (each, known) => {
    const { desired } = mapLead(each, fieldMap, limits);
    const delta = contactDelta(desired, known);
    for (const [alias, value] of Object.entries(delta.fields)) {
      assert.equal(value, desired[alias]);
      if (Object.hasOwn(known.snapshot, alias)) assert.notEqual(value, known.snapshot[alias]);
      if (Object.hasOwn(known.refused, alias)) assert.notEqual(value, known.refused[alias]);
    }
    for (const alias of delta.blanks) assert.ok(known.filled.includes(alias));
    assert.deepEqual(
      contactDelta(desired, { snapshot: desired, refused: {}, filled: known.filled }),
      { fields: {}, blanks: [] },
    );
  }));
});

/** What a Mautic might make of a value: take it, drop it, or change it. */
const meddling = fc.dictionary(
  fc.constantFrom(...allAliases),
  fc.oneof(fieldValue, fc.boolean(), fc.constant(undefined)),
);

Deno.test("nothing is sent twice: after the answer is read back, the delta is empty", () => {
  fc.assert(fc.property(payload, state, meddling, (each, known, changes) => {
    const { desired } = mapLead(each, fieldMap, limits);
    const sent = contactDelta(desired, known);
    const blanked = Object.fromEntries(sent.blanks.map((alias) => [alias, ""]));
    const confirmed = confirmAnswer(sent, { ...sent.fields, ...blanked, ...changes });
    const after = {
      snapshot: { ...known.snapshot, ...confirmed.snapshot },
      refused: { ...known.refused, ...confirmed.refused },
      filled: known.filled,
    };
    assert.deepEqual(contactDelta(desired, after), { fields: {}, blanks: [] });
    // As JSON, for that is how the database keeps it.
    const stored = JSON.parse(JSON.stringify(after));
    assert.deepEqual(contactDelta(desired, stored), { fields: {}, blanks: [] });
  }));
});

Deno.test("every value sent is either in the snapshot or refused, and reported", () => {
  fc.assert(fc.property(payload, meddling, (each, answered) => {
    const sent = contactDelta(mapLead(each, fieldMap, limits).desired, {
      snapshot: {},
      refused: {},
      filled: [],
    });
    const confirmed = confirmAnswer(sent, answered);
    assert.deepEqual(Object.keys(confirmed.snapshot), Object.keys(sent.fields));
    assert.deepEqual(confirmed.notTaken.map(({ alias }) => alias), Object.keys(confirmed.refused));
  }));
});

Deno.test("silence about a field never changes it, whatever is known of the contact", () => {
  fc.assert(fc.property(payload, state, (each, known) => {
    const delta = contactDelta(mapLead(each, fieldMap, limits).desired, {
      ...known,
      filled: [...known.filled, ...allAliases],
    });
    for (const alias of mappedAliases) {
      if (Object.hasOwn(each.fields, alias)) continue;
      assert.ok(!Object.hasOwn(delta.fields, alias) && !delta.blanks.includes(alias));
    }
  }));
});

Deno.test("the mapper is total on any text and number, for fields of any kind", () => {
  const mapping = fc.record({
    alias: fc.oneof(fc.constantFrom("__proto__", "constructor", "a"), fc.string()),
    type: fc.constantFrom("text" as const, "number" as const),
    when_blank: fc.constantFrom("keep" as const, "clear" as const),
    too_long: fc.constantFrom("cut" as const, "refuse" as const),
  });
  const anyValue = fc.oneof(fieldValue, fc.double(), fc.string({ unit: "binary" }));
  fc.assert(fc.property(payload, fc.array(mapping), anyValue, (each, map, value) => {
    const fields = Object.fromEntries(map.map(({ alias }) => [alias, value]));
    const { desired } = mapLead({ ...each, fields }, map, limits);
    const delta = contactDelta(desired, {
      snapshot: {},
      refused: {},
      filled: Object.keys(desired),
    });
    confirmAnswer(delta, { email: value, firstname: value, a: value });
    for (const given of Object.values(desired)) {
      assert.ok(given === null || typeof given === "string" || Number.isFinite(given));
    }
  }));
});
