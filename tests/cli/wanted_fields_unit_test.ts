import assert from "node:assert/strict";
import { judgeFields } from "../../cli/doctor/mautic.ts";
import { judgeSuperseded } from "../../cli/doctor/superseded.ts";
import { planFields } from "../../cli/setup/plan.ts";
import { wantedFields } from "../../cli/setup/wanted_fields.ts";
import { fieldMap } from "../support/payload.ts";

const field = (alias: string, type: string, more: object = {}) => ({
  alias,
  type,
  isPublished: true,
  isRequired: false,
  defaultValue: null,
  ...more,
});

Deno.test("wantedFields() names the custom fields of the mapping, each once and in its order", () => {
  const mapped = [
    ...fieldMap,
    { alias: "hki_score", type: "text" as const },
    { alias: "renewal_month", type: "text" as const },
    { alias: "phone", type: "text" as const },
  ];
  const wanted = wantedFields(mapped).map(({ alias, label, type }) => `${alias} ${type} ${label}`);
  assert.deepEqual(wanted, [
    "hki_utm_source text Lead UTM source",
    "hki_utm_medium text Lead UTM medium",
    "hki_utm_campaign text Lead UTM campaign",
    "hki_utm_term text Lead UTM term",
    "hki_utm_content text Lead UTM content",
    "hki_score number Lead score",
    "hki_status text Lead status",
    "hki_lead_id text Lead id",
    "renewal_month text renewal month",
  ]);
});

const wanted = wantedFields([
  { alias: "hki_score", type: "number" },
  { alias: "hki_status", type: "text" },
  { alias: "renewal_month", type: "text" },
  { alias: "hki_lead_id", type: "text" },
]);
const there = [field("hki_score", "text"), field("hki_status", "lookup"), field("company", "text")];

Deno.test("planFields() makes the fields that are missing, and leaves a wrong type to a person", () => {
  const [byHand, ...created] = planFields(wanted, there, { fieldMaxLength: 100 });
  assert.ok(byHand?.kind === "by_hand");
  assert.equal(byHand.title, 'Field "hki_score" is of type text, and number is needed');
  assert.equal(
    byHand.lines.at(-1),
    "select mautic.unmap_field('hki_score'); select mautic.map_field('<alias>', 'score');",
  );
  assert.deepEqual(
    created,
    [
      { alias: "renewal_month", label: "renewal month" },
      { alias: "hki_lead_id", label: "Lead id" },
    ].map((each) => ({
      kind: "create_field",
      field: { ...each, type: "text", maxLength: 100 },
    })),
  );
});

Deno.test("judgeFields() says of each mapped field what is wrong with it, and the statement that mends it", () => {
  const short = field("renewal_month", "text", { charLengthLimit: 40 });
  const findings = judgeFields(wanted, [...there, short], 64);
  assert.deepEqual(findings.map(({ verdict, check }) => `${verdict} ${check}`), [
    "fail mautic.field.hki_score",
    "pass mautic.field.hki_status",
    "fail mautic.field.renewal_month",
    "fail mautic.field.hki_lead_id",
  ]);
  const remedies = findings.map(({ remedy }) => remedy ?? "");
  assert.match(String(remedies[0]), /select mautic\.map_field\('<alias>', 'score'\);$/);
  assert.match(String(remedies[2]), /MAUTIC_FIELD_MAX_LENGTH=40/);
  assert.match(String(remedies[3]), /select mautic\.unmap_field\('hki_lead_id'\);$/);
});

Deno.test("judgeSuperseded() warns of variables that are not heeded, with the statements in their place", () => {
  assert.deepEqual(judgeSuperseded("c", []), []);
  const statement = "select mautic.unmap_field('hki_score');";
  const [finding, ...others] = judgeSuperseded("c", [
    { variable: "MAUTIC_FIELD_SCORE", statement },
    { variable: "MAUTIC_FIELD_STATUS", statement: null },
  ]);
  assert.deepEqual(others, []);
  assert.equal(finding?.verdict, "warn");
  assert.match(String(finding?.message), /^MAUTIC_FIELD_SCORE, MAUTIC_FIELD_STATUS: set/);
  assert.equal(finding?.remedy, `${statement} Remove the variables.`);
});
