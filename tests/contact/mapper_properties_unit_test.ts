import fc from "fast-check";
import assert from "node:assert/strict";
import { confirmAnswer } from "shared/contact/confirm.ts";
import { contactDelta } from "shared/contact/delta.ts";
import { mapLead } from "shared/lead/map_lead.ts";
import { aliases, fieldValue, lead, limits, state, utmAliases } from "../support/arbitraries.ts";
import type { Lead } from "shared/lead/lead.ts";

const core = ["email", "firstname", "lastname", "phone", "company"];

Deno.test("mapLead() only ever uses configured aliases and never a bare utm_*", () => {
  const allowed = new Set([...core, ...Object.values(aliases)]);
  fc.assert(fc.property(lead, (each) => {
    for (const alias of Object.keys(mapLead(each, aliases, limits).desired)) {
      assert.ok(allowed.has(alias) && !alias.startsWith("utm_"));
    }
  }));
});

Deno.test("mapLead() never wants more characters than a field takes, except of an address", () => {
  fc.assert(fc.property(lead, fc.integer({ min: 1, max: 64 }), (each, text) => {
    for (const [alias, value] of Object.entries(mapLead(each, aliases, { text }).desired)) {
      if (typeof value !== "string") continue;
      assert.ok(alias === "email" || [...value].length <= text);
      assert.equal(value, value.trim());
      assert.notEqual(value, "");
    }
  }));
});

Deno.test("a UTM value is never blanked, whatever is known of the contact", () => {
  fc.assert(fc.property(lead, state, (each, known) => {
    const delta = contactDelta(mapLead(each, aliases, limits).desired, {
      ...known,
      filled: [
        ...known.filled,
        ...core,
        ...Object.values(aliases).filter((alias) => alias !== null),
      ],
    });
    for (const alias of utmAliases) {
      assert.ok(alias && !delta.blanks.includes(alias));
      assert.notEqual(delta.fields[alias], "");
    }
    assert.ok(!delta.blanks.includes("email"));
  }));
});

Deno.test("an unchanged field is never sent, nor one blanked that this lead did not fill", () => {
  fc.assert(fc.property(lead, state, (each, known) => {
    const { desired } = mapLead(each, aliases, limits);
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
  fc.constantFrom(...core, ...Object.values(aliases).filter((alias) => alias !== null)),
  fc.oneof(fieldValue, fc.boolean(), fc.constant(undefined)),
);

Deno.test("nothing is sent twice: after the answer is read back, the delta is empty", () => {
  fc.assert(fc.property(lead, state, meddling, (each, known, changes) => {
    const { desired } = mapLead(each, aliases, limits);
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
  fc.assert(fc.property(lead, meddling, (each, answered) => {
    const sent = contactDelta(mapLead(each, aliases, limits).desired, {
      snapshot: {},
      refused: {},
      filled: [],
    });
    const confirmed = confirmAnswer(sent, answered);
    assert.deepEqual(Object.keys(confirmed.snapshot), Object.keys(sent.fields));
    assert.deepEqual(confirmed.notTaken.map(({ alias }) => alias), Object.keys(confirmed.refused));
  }));
});

Deno.test("the mapper is total on values of the wrong kind", () => {
  const anything = fc.anything({ withNullPrototype: true });
  fc.assert(fc.property(anything, anything, anything, (a, b, c) => {
    const hostile: Lead = JSON.parse(JSON.stringify({ id: a ?? "", contact: {} }) ?? "{}");
    Object.assign(hostile, { crm_status: a, ml: { score: b }, utm: { source: c } });
    Object.assign(hostile.contact, { email: a, first_name: b, last_name: c });
    const { desired } = mapLead(hostile, aliases, limits);
    const delta = contactDelta(desired, {
      snapshot: {},
      refused: {},
      filled: Object.keys(desired),
    });
    confirmAnswer(delta, { email: a, firstname: b, lastname: c, hki_score: a });
  }));
});
