import assert from "node:assert/strict";
import { confirmAnswer } from "shared/contact/confirm.ts";
import { contactDelta } from "shared/contact/delta.ts";
import type { FieldValue } from "shared/contact/field_value.ts";
import type { FieldMapping } from "shared/lead/field_map.ts";
import { mapLead } from "shared/lead/map_lead.ts";
import type { LeadPayload } from "shared/lead/payload.ts";
import { limits } from "../support/arbitraries.ts";
import { fieldMap, leadPayload } from "../support/payload.ts";

const nothingKnown = { snapshot: {}, refused: {}, filled: [] };

function map(fields: LeadPayload["fields"], more: Partial<LeadPayload> = {}) {
  return mapLead(leadPayload("1", { fields, ...more }), fieldMap, limits);
}

Deno.test("mapLead() maps every value of a full lead, in the order of the map and the address last", () => {
  const { desired, cut } = mapLead(
    leadPayload("42", {
      email: " Ann@Example.TEST ",
      fields: {
        company: "ACME",
        phone: "+1 234",
        lastname: "Lee",
        firstname: " Ann ",
        hki_lead_id: " 42 ",
        hki_status: "qualified",
        hki_score: 85.5,
        hki_utm_content: "c",
        hki_utm_term: "t",
        hki_utm_campaign: "summer",
        hki_utm_medium: "cpc",
        hki_utm_source: "google",
      },
    }),
    fieldMap,
    limits,
  );
  assert.deepEqual(Object.entries(desired), [
    ["hki_utm_source", "google"],
    ["hki_utm_medium", "cpc"],
    ["hki_utm_campaign", "summer"],
    ["hki_utm_term", "t"],
    ["hki_utm_content", "c"],
    ["hki_score", 85.5],
    ["hki_status", "qualified"],
    ["hki_lead_id", "42"],
    ["firstname", "Ann"],
    ["lastname", "Lee"],
    ["phone", "+1 234"],
    ["company", "ACME"],
    ["email", "ann@example.test"],
  ]);
  assert.deepEqual(cut, []);
});

Deno.test("mapLead() wants a value blank that the lead has not, but leaves fields out that keep theirs", () => {
  const { desired } = map({
    hki_utm_source: " ",
    hki_utm_medium: null,
    firstname: "  ",
    lastname: null,
    hki_score: null,
  });
  assert.deepEqual(desired, {
    hki_score: null,
    firstname: null,
    lastname: null,
    email: "1@example.test",
  });
});

Deno.test("mapLead() changes nothing that the lead says nothing of", () => {
  assert.deepEqual(map({}).desired, { email: "1@example.test" });
  assert.deepEqual(map({ phone: "1" }, { email: null }).desired, { phone: "1" });
  // What every object inherits is no value of the lead.
  const inherited: FieldMapping[] = ["constructor", "__proto__", "toString"].map((alias) => ({
    alias,
    type: "text",
    part: null,
    when_blank: "clear",
    too_long: "cut",
  }));
  assert.deepEqual(mapLead(leadPayload("1", { email: null }), inherited, limits).desired, {});
});

Deno.test("mapLead() wants a blank for a score of 0, which Mautic ignores", () => {
  for (const score of [0, -0, NaN, Infinity, null, "", " ", "none"]) {
    assert.equal(map({ hki_score: score }).desired["hki_score"], null);
  }
});

Deno.test("mapLead() gives a field the kind of value that it takes", () => {
  assert.equal(map({ hki_score: " 85.50 " }).desired["hki_score"], 85.5);
  assert.equal(map({ firstname: 7 }).desired["firstname"], "7");
});

Deno.test("mapLead() leaves out what is not mapped", () => {
  assert.deepEqual(map({ hki_score: 5, jobtitle: "x" }).desired, {
    hki_score: 5,
    email: "1@example.test",
  });
  const none = mapLead(leadPayload("1", { fields: { hki_score: 5 } }), [], limits);
  assert.deepEqual(none.desired, { email: "1@example.test" });
});

Deno.test("mapLead() cuts over-long texts by characters and reports them", () => {
  const { desired, cut } = map({ firstname: "😀".repeat(70), company: "x".repeat(64) });
  assert.equal(desired["firstname"], "😀".repeat(64));
  assert.equal(desired["company"], "x".repeat(64));
  assert.deepEqual(cut, [{ alias: "firstname", length: 70, limit: 64 }]);
  assert.equal(map({ firstname: `${"x".repeat(63)} y` }).desired["firstname"], "x".repeat(63));
});

Deno.test("mapLead() does not cut a lead id, which would be another lead's", () => {
  const { desired, cut } = map({ hki_lead_id: "x".repeat(100) });
  assert.equal(desired["hki_lead_id"], null);
  assert.deepEqual(cut, [{ alias: "hki_lead_id", length: 100, limit: 64 }]);
});

Deno.test("mapLead() leaves a field as it is that keeps its value and takes no part of one", () => {
  const mapping: FieldMapping = {
    alias: "hki_click",
    type: "text",
    part: null,
    when_blank: "keep",
    too_long: "refuse",
  };
  const payload = leadPayload("1", { email: null, fields: { hki_click: "x".repeat(100) } });
  assert.deepEqual(mapLead(payload, [mapping], limits), {
    desired: {},
    cut: [{ alias: "hki_click", length: 100, limit: 64 }],
  });
});

Deno.test("mapLead() removes what would make Mautic refuse the whole batch's JSON", () => {
  assert.equal(map({ firstname: "A\u0000n\ud800" }).desired["firstname"], "An\ufffd");
});

const deltas: [
  name: string,
  desired: Record<string, FieldValue>,
  state: Partial<Parameters<typeof contactDelta>[1]>,
  expected: { fields?: Record<string, FieldValue>; blanks?: string[] },
][] = [
  ["sends what is new", { firstname: "Ann", hki_score: 85 }, {}, {
    fields: { firstname: "Ann", hki_score: 85 },
  }],
  ["does not send what Mautic holds", { firstname: "Ann" }, { snapshot: { firstname: "Ann" } }, {}],
  ["compares numbers as numbers", { hki_score: 85.5 }, { snapshot: { hki_score: "85.50" } }, {}],
  ["compares texts trimmed", { firstname: "Ann" }, { snapshot: { firstname: " Ann " } }, {}],
  ["compares addresses without case", { email: "ann@x.test" }, {
    snapshot: { email: "Ann@X.test" },
  }, {}],
  ["does not send a refused value again", { firstname: "A<b>" }, {
    snapshot: { firstname: "A" },
    refused: { firstname: "A<b>" },
  }, {}],
  ["sends another value after a refused one", { firstname: "B" }, {
    snapshot: { firstname: "A" },
    refused: { firstname: "A<b>" },
  }, { fields: { firstname: "B" } }],
  ["blanks what this lead has filled", { phone: null }, {
    snapshot: { phone: "1" },
    filled: ["phone"],
  }, { blanks: ["phone"] }],
  ["does not blank what others filled", { phone: null }, { snapshot: { phone: "1" } }, {}],
  ["does not blank what is blank", { hki_score: null }, {
    snapshot: { hki_score: 0 },
    filled: ["hki_score"],
  }, {}],
  ["does not ask twice for a blank that was not taken", { phone: null }, {
    snapshot: { phone: "1" },
    refused: { phone: null },
    filled: ["phone"],
  }, {}],
  ["never blanks the address", { email: null }, {
    snapshot: { email: "a@b.test" },
    filled: ["email"],
  }, {}],
];
for (const [name, wanted, state, expected] of deltas) {
  Deno.test(`contactDelta() ${name}`, () => {
    assert.deepEqual(contactDelta(wanted, { ...nothingKnown, ...state }), {
      fields: expected.fields ?? {},
      blanks: expected.blanks ?? [],
    });
  });
}

Deno.test("confirmAnswer() keeps what Mautic took", () => {
  const sent = {
    fields: { firstname: "Ann", hki_score: 85, email: "ann@x.test" },
    blanks: ["phone"],
  };
  const answered = {
    firstname: "Ann",
    hki_score: "85.0",
    email: "Ann@X.test",
    phone: "",
    other: "x",
  };
  assert.deepEqual(confirmAnswer(sent, answered), {
    snapshot: { firstname: "Ann", hki_score: 85, email: "ann@x.test", phone: null },
    refused: {},
    notTaken: [],
  });
});

Deno.test("confirmAnswer() takes null, an empty text and 0 for a blank", () => {
  for (const held of [null, "", 0, "0", "0.0", undefined]) {
    assert.deepEqual(confirmAnswer({ fields: {}, blanks: ["a"] }, { a: held }).snapshot, {
      a: null,
    });
  }
  assert.deepEqual(confirmAnswer({ fields: {}, blanks: ["a"] }, {}).refused, {});
});

Deno.test("confirmAnswer() notices stripped HTML and decoded entities", () => {
  // As recorded: contact-new-html-entities.
  const sent = {
    fields: { firstname: "Tom & Jerry <3", lastname: "O'Brien &amp; co" },
    blanks: [],
  };
  const answered = { firstname: "Tom & Jerry", lastname: "O'Brien & co" };
  const confirmed = confirmAnswer(sent, answered);
  assert.deepEqual(confirmed.refused, sent.fields);
  assert.deepEqual(confirmed.snapshot, answered);
  assert.deepEqual(confirmed.notTaken.map(({ alias, got }) => [alias, got]), [
    ["firstname", "changed"],
    ["lastname", "changed"],
  ]);
});

Deno.test("confirmAnswer() takes a number that the answer only shows without its decimals for taken", () => {
  // As recorded: contact-custom-patch-float-string answers 7, its webhook says 7.25.
  const confirm = (sent: number, answered: unknown) =>
    confirmAnswer({ fields: { hki_score: sent }, blanks: [] }, { hki_score: answered });
  assert.deepEqual(confirm(7.25, 7).snapshot, { hki_score: 7.25 });
  assert.deepEqual(confirm(7.25, "7").notTaken, []);
  // So going to 7 afterwards is sent.
  const known = { snapshot: confirm(7.25, 7).snapshot, refused: {}, filled: [] };
  assert.deepEqual(contactDelta({ hki_score: 7 }, known).fields, { hki_score: 7 });
  assert.equal(confirm(7.25, 9).notTaken.length, 1);
  assert.equal(confirm(0.5, 0).notTaken.length, 1);
});

Deno.test("confirmAnswer() notices unknown aliases as dropped", () => {
  const confirmed = confirmAnswer({ fields: { hki_status: "new" }, blanks: [] }, {
    email: "a@b.test",
  });
  assert.deepEqual(confirmed.notTaken, [{ alias: "hki_status", sent: "new", got: "dropped" }]);
  assert.deepEqual(confirmed.refused, { hki_status: "new" });
});

Deno.test("a value that Mautic changed is sent again when the lead goes back to the one before", () => {
  const first = confirmAnswer({ fields: { firstname: "Ann" }, blanks: [] }, { firstname: "Ann" });
  const second = confirmAnswer({ fields: { firstname: "B<b>" }, blanks: [] }, { firstname: "B" });
  const known = {
    snapshot: { ...first.snapshot, ...second.snapshot },
    refused: second.refused,
    filled: ["firstname"],
  };
  assert.deepEqual(contactDelta({ firstname: "B<b>" }, known).fields, {});
  assert.deepEqual(contactDelta({ firstname: "Ann" }, known).fields, { firstname: "Ann" });
});
