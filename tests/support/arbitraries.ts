import fc from "fast-check";
import type { ContactState } from "shared/contact/delta.ts";
import type { FieldValue } from "shared/contact/field_value.ts";
import type { FieldAliases } from "shared/lead/map_lead.ts";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import type { Lead } from "shared/lead/lead.ts";

export const aliases: FieldAliases = {
  score: "hki_score",
  status: "hki_status",
  leadId: "hki_lead_id",
  utmSource: "hki_utm_source",
  utmMedium: "hki_utm_medium",
  utmCampaign: "hki_utm_campaign",
  utmTerm: "hki_utm_term",
  utmContent: "hki_utm_content",
};
export const utmAliases = Object.values(aliases).filter((alias) => alias?.includes("utm"));
export const limits = { text: 64 };

/** Texts as people and other systems leave them: blank, padded, with markup, too long, not ASCII. */
export const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.constantFrom(
    "",
    " ",
    "Ann",
    " Ann ",
    "Tom & <b>Jerry</b>",
    "&amp;",
    "0",
    "85",
    "85.0",
    "\u0000",
  ),
);
const maybe = fc.option(text, { nil: null });

export const lead: fc.Arbitrary<Lead> = fc.record({
  id: fc.uuid(),
  crm_status: fc.option(fc.oneof(text, fc.constantFrom("qualified", "Converted ", "new")), {
    nil: null,
  }),
  consent: fc.option(
    fc.record({ marketing_opt_in: fc.option(fc.boolean(), { nil: null }) }, {
      requiredKeys: [],
    }),
    { nil: null },
  ),
  ml: fc.option(
    fc.record({
      score: fc.option(fc.oneof(fc.double(), fc.constantFrom(0, -0, 70, 85.5, NaN)), { nil: null }),
    }, { requiredKeys: [] }),
    { nil: null },
  ),
  contact: fc.record({
    email: fc.oneof(fc.emailAddress(), text),
    first_name: maybe,
    last_name: maybe,
    phone: maybe,
    company: maybe,
  }, { requiredKeys: ["email"] }),
  utm: fc.option(
    fc.record({ source: maybe, medium: maybe, campaign: maybe, term: maybe, content: maybe }, {
      requiredKeys: [],
    }),
    { nil: null },
  ),
}, { requiredKeys: ["id", "contact"] });

export const fieldValue: fc.Arbitrary<FieldValue> = fc.oneof(
  text,
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constant(null),
);

const knownAlias = fc.constantFrom(
  ...Object.values(aliases).filter((alias) => alias !== null),
  "email",
  "firstname",
  "lastname",
  "phone",
  "company",
  "__proto__",
  "constructor",
);
const values = fc.array(fc.tuple(knownAlias, fieldValue)).map((entries) =>
  Object.fromEntries(entries)
);

export const state: fc.Arbitrary<ContactState> = fc.record({
  snapshot: values,
  refused: values,
  filled: fc.uniqueArray(knownAlias),
});

export const entry: fc.Arbitrary<DoNotContactEntry> = fc.record({
  channel: fc.constantFrom("email", "sms", "Email ", "foo"),
  reason: fc.constantFrom(0, 1, 2, 3, 9),
  comments: fc.option(fc.constantFrom("", "hard bounce", "No marketing consent"), { nil: null }),
});
