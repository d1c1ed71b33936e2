import fc from "fast-check";
import type { ContactState } from "shared/contact/delta.ts";
import type { FieldValue } from "shared/contact/field_value.ts";
import type { DoNotContactEntry } from "shared/consent/entry.ts";
import type { LeadPayload } from "shared/lead/payload.ts";
import { mappedAliases } from "./payload.ts";

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
const score = fc.option(fc.oneof(fc.double(), fc.constantFrom(0, -0, 70, 85.5, NaN)), {
  nil: null,
});
const names = fc.uniqueArray(fc.constantFrom(...mappedAliases, "consent", "score", "stage"));

const valueOf = (alias: string) => alias === "hki_score" ? score : maybe;
/** Values for some of the mapped fields; the lead says nothing of the others. */
const fields = fc.tuple(
  fc.record(Object.fromEntries(mappedAliases.map((alias) => [alias, valueOf(alias)]))),
  fc.subarray(mappedAliases),
).map(([all, said]) => Object.fromEntries(said.map((alias) => [alias, all[alias] ?? null])));

export const payload: fc.Arbitrary<LeadPayload> = fc.record({
  id: fc.uuid(),
  in_scope: fc.constant(true),
  email: fc.option(fc.oneof(fc.emailAddress(), text), { nil: null }),
  stage: fc.option(fc.oneof(text, fc.constantFrom("qualified", "Converted ", "new")), {
    nil: null,
  }),
  consent: fc.option(fc.boolean(), { nil: null }),
  score,
  fields,
  unreadable: names,
  missing: names,
});

export const fieldValue: fc.Arbitrary<FieldValue> = fc.oneof(
  text,
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constant(null),
);

const knownAlias = fc.constantFrom(
  ...mappedAliases,
  "email",
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
