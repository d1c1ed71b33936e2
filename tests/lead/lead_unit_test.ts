import fc from "fast-check";
import assert from "node:assert/strict";
import { parseLead } from "shared/lead/lead.ts";

Deno.test("parseLead() takes a lead with nothing but id and address", () => {
  const parsed = parseLead({ id: "1", contact: { email: "a@b.test" } });
  assert.deepEqual(parsed, { ok: true, lead: { id: "1", contact: { email: "a@b.test" } } });
});

Deno.test("parseLead() keeps what is absent absent and what is null null, at every depth", () => {
  const parts = fc.record({
    crm_status: fc.option(fc.string()),
    consent: fc.option(
      fc.record({ marketing_opt_in: fc.option(fc.boolean()) }, { requiredKeys: [] }),
    ),
    ml: fc.option(fc.record({ score: fc.option(fc.integer()) }, { requiredKeys: [] })),
    utm: fc.option(
      fc.record({ source: fc.option(fc.string()), term: fc.option(fc.string()) }, {
        requiredKeys: [],
      }),
    ),
  }, { requiredKeys: [] });
  const contact = fc.record({
    email: fc.constant("a@b.test"),
    first_name: fc.option(fc.string()),
    phone: fc.option(fc.string()),
  }, { requiredKeys: ["email"] });
  const shape = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)]))
      : value === null;
  fc.assert(fc.property(parts, contact, (some, of) => {
    const given = { id: "1", ...some, contact: of };
    const parsed = parseLead(given);
    assert.ok(parsed.ok);
    assert.deepEqual(shape(parsed.lead), shape(given));
  }));
});

Deno.test("parseLead() takes the nulls of SQL, numeric texts and unknown keys", () => {
  const parsed = parseLead({
    id: 7,
    crm_status: null,
    consent: { marketing_opt_in: null },
    ml: { score: "85.50" },
    contact: { email: "a@b.test", first_name: null, last_name: null, phone: null, company: null },
    utm: { source: null, medium: null, campaign: null, term: null, content: null },
    extra: 1,
  });
  assert.ok(parsed.ok);
  assert.equal(parsed.lead.id, "7");
  assert.equal(parsed.lead.ml?.score, 85.5);
});

for (
  const [name, value, paths] of [
    ["nothing", undefined, ["(body)"]],
    ["a text", "lead", ["(body)"]],
    ["a list", [], ["(body)"]],
    ["an empty object", {}, ["id", "contact"]],
    ["an empty id", { id: " ", contact: { email: "a@b.test" } }, ["id"]],
    ["a long id", { id: "x".repeat(129), contact: { email: "a@b.test" } }, ["id"]],
    ["no address", { id: "1", contact: {} }, ["contact.email"]],
    ["a null address", { id: "1", contact: { email: null } }, ["contact.email"]],
    ["wrong kinds", {
      id: "1",
      crm_status: 5,
      consent: { marketing_opt_in: "yes" },
      ml: { score: "high" },
      contact: { email: "a@b.test", first_name: {} },
      utm: { source: [] },
    }, ["crm_status", "consent.marketing_opt_in", "ml.score", "contact.first_name", "utm.source"]],
    [
      "a score beyond numbers",
      { id: "1", ml: { score: "1e999" }, contact: { email: "a@b.test" } },
      [
        "ml.score",
      ],
    ],
  ] as const
) {
  Deno.test(`parseLead() names what is wrong with ${name}`, () => {
    const parsed = parseLead(value);
    assert.ok(!parsed.ok);
    assert.deepEqual(parsed.issues.map(({ path }) => path), paths);
    assert.ok(parsed.issues.every(({ message }) => message.length > 0));
  });
}

Deno.test("parseLead() is total", () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    parseLead(value);
  }));
});
