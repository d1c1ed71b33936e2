import fc from "fast-check";
import assert from "node:assert/strict";
import { decideConsent } from "shared/consent/decide.ts";
import { consentComment, isOurs } from "shared/consent/entry.ts";
import { decideEnrollment } from "shared/campaign/decide_enrollment.ts";
import { entry, payload } from "../support/arbitraries.ts";

const settings = {
  enabled: true,
  threshold: 70,
  campaignId: 5,
  stages: ["qualified", "converted"],
};
const good = { stage: "qualified", score: 85, consent: true };
const unsubscribed = { channel: "email", reason: 1, comments: null };
const bounced = { channel: "email", reason: 2, comments: "hard bounce" };
const staff = { channel: "email", reason: 3, comments: "asked by phone" };
const ours = { channel: "email", reason: 3, comments: consentComment };
const sms = { channel: "sms", reason: 1, comments: null };
const lifted = { channel: "email", reason: 0, comments: null };

const enrollments: [
  reason: ReturnType<typeof decideEnrollment>["reason"],
  change: Partial<Parameters<typeof decideEnrollment>[0]>,
][] = [
  ["eligible", {}],
  ["eligible", { emailStatus: "subscribed" }],
  ["eligible", { lead: { ...good, score: 70 } }],
  ["eligible", { lead: { ...good, stage: " Converted " } }],
  ["eligible", { doNotContact: [sms, lifted] }],
  ["disabled", { settings: { ...settings, enabled: false } }],
  ["no_campaign", { settings: { ...settings, campaignId: null } }],
  ["no_score", { lead: { ...good, score: null } }],
  ["no_score", { lead: { ...good, score: NaN } }],
  ["below_threshold", { lead: { ...good, score: 69.9 } }],
  ["stage_not_eligible", { lead: { ...good, stage: "new" } }],
  ["stage_not_eligible", { lead: { ...good, stage: null } }],
  ["no_consent", { lead: { ...good, consent: null } }],
  ["no_consent", { lead: { ...good, consent: false } }],
  ["not_mailable", { emailStatus: "unsubscribed" }],
  ["not_mailable", { emailStatus: "bounced" }],
  ["not_mailable", { emailStatus: "complained" }],
  ["not_mailable", { emailStatus: "whatever" }],
  ["do_not_contact", { doNotContact: [unsubscribed] }],
  ["do_not_contact", { doNotContact: [sms, bounced] }],
  ["do_not_contact", { doNotContact: [ours] }],
];
for (const [index, [reason, change]] of enrollments.entries()) {
  Deno.test(`decideEnrollment() says ${reason} in case ${index + 1}`, () => {
    const given = { lead: good, emailStatus: null, doNotContact: [], settings, ...change };
    assert.deepEqual(decideEnrollment(given), { enroll: reason === "eligible", reason });
  });
}

Deno.test("nobody is enrolled without consent, unmailable, or against do-not-contact", () => {
  const status = fc.constantFrom(null, "subscribed", "unsubscribed", "bounced", "complained", "");
  fc.assert(fc.property(payload, status, fc.array(entry), (each, emailStatus, doNotContact) => {
    const eager = { ...settings, threshold: -1e308, stages: [each.stage ?? "x"] };
    const { enroll } = decideEnrollment({ lead: each, emailStatus, doNotContact, settings: eager });
    if (!enroll) return;
    assert.equal(each.consent, true);
    assert.ok(emailStatus === null || emailStatus === "subscribed");
    assert.ok(!doNotContact.some(({ channel, reason }) => channel === "email" && reason !== 0));
  }));
});

const consents: [
  optIn: boolean | null,
  entries: Parameters<typeof decideConsent>[0]["entries"],
  expected: ReturnType<typeof decideConsent>,
][] = [
  [false, [], { action: "add", reason: "consent_denied" }],
  [false, [sms, lifted], { action: "add", reason: "consent_denied" }],
  [false, [bounced], { action: "none", reason: "already_do_not_contact" }],
  [false, [ours], { action: "none", reason: "already_do_not_contact" }],
  [true, [], { action: "none", reason: "nothing_to_lift" }],
  [true, [ours], { action: "lift", reason: "consent_given" }],
  [true, [ours, sms], { action: "lift", reason: "consent_given" }],
  [true, [staff], { action: "none", reason: "entry_not_ours" }],
  [true, [unsubscribed], { action: "none", reason: "entry_not_ours" }],
  [true, [bounced], { action: "none", reason: "entry_not_ours" }],
  [true, [ours, unsubscribed], { action: "none", reason: "entry_not_ours" }],
  [true, [{ ...ours, reason: 1 }], { action: "none", reason: "entry_not_ours" }],
  [null, [ours], { action: "none", reason: "consent_unknown" }],
  [null, [], { action: "none", reason: "consent_unknown" }],
];
for (const [index, [optIn, entries, expected]] of consents.entries()) {
  Deno.test(`decideConsent() says ${expected.reason} in case ${index + 1}`, () => {
    assert.deepEqual(decideConsent({ optIn, entries }), expected);
  });
}

Deno.test("an unsubscribe, a bounce or an entry of others is never lifted, and none replaced", () => {
  const marked = entry.map((each) => ({ ...each, comments: consentComment }));
  const optIn = fc.constantFrom(true, false, null);
  fc.assert(fc.property(optIn, fc.array(fc.oneof(entry, marked)), (given, entries) => {
    const { action } = decideConsent({ optIn: given, entries });
    const standing = entries.filter(({ channel, reason }) =>
      channel.trim().toLowerCase() === "email" && reason !== 0
    );
    if (action === "lift") assert.ok(given === true && standing.every(isOurs));
    if (action === "add") assert.ok(given === false && standing.length === 0);
  }));
});
