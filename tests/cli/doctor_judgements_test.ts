import assert from "node:assert/strict";
import {
  type DatabaseFacts,
  isAtLeast,
  judgeAge,
  judgeExtensions,
  judgeMigrations,
  judgeShape,
} from "../../cli/doctor/database.ts";
import { judgeCron } from "../../cli/doctor/cron.ts";
import { judgeRing, ringAndWait } from "../../cli/doctor/doorbell.ts";
import {
  judgeAddress,
  judgeExposed,
  judgePing,
  judgePrivate,
  judgeSecretKey,
} from "../../cli/doctor/functions.ts";
import { judgeLive } from "../../cli/doctor/live.ts";
import {
  judgeCampaign,
  judgeMauticAddress,
  judgeRequired,
  judgeVersion,
} from "../../cli/doctor/mautic.ts";
import type { Reached } from "../../cli/doctor/probe.ts";
import { makeReport, reportLines } from "../../cli/doctor/report.ts";
import { judgeScore } from "../../cli/doctor/score.ts";
import { fail, pass } from "../../cli/doctor/finding.ts";
import { judgeAccepted, judgeHooks, judgeRefused } from "../../cli/doctor/webhook.ts";
import { testDatabase } from "../support/database.ts";

const sound: DatabaseFacts = {
  extensions: { pg_net: "0.19.5", pg_cron: "1.6.4", supabase_vault: "0.3.1" },
  migrations: ["1"],
  hasSchema: true,
};

function answered(status: number, json?: unknown, headers: Record<string, string> = {}): Reached {
  return { kind: "answered", status, json, headers: new Headers(headers) };
}

Deno.test("versions are compared by their numbers", () => {
  assert.ok(isAtLeast("0.19.5", "0.8"));
  assert.ok(isAtLeast("1.5", "1.5"));
  assert.ok(isAtLeast("7.2.0-rc2", "5"));
  assert.ok(!isAtLeast("0.7.3", "0.8"));
  assert.ok(!isAtLeast("1.4-1", "1.5"));
});

Deno.test("extensions that are old, not installed or not on offer fail, each by its name", () => {
  const extensions = { pg_net: "0.7.1", pg_cron: null };
  const verdicts = judgeExtensions({ ...sound, extensions }).map(({ check, verdict, message }) =>
    `${verdict} ${check}: ${message}`
  );
  assert.match(String(verdicts[0]), /^fail database.pg_net: pg_net is 0.7.1, and 0.8 is needed/);
  assert.match(String(verdicts[1]), /^fail database.pg_cron: pg_cron is not installed/);
  assert.match(String(verdicts[2]), /^fail database.supabase_vault: .* is not on offer/);
});

Deno.test("a database without the migrations is told from one whose log is elsewhere", () => {
  assert.equal(judgeMigrations({ ...sound, hasSchema: false }, ["1_a.sql"]).verdict, "fail");
  assert.equal(judgeMigrations({ ...sound, migrations: null }, ["1_a.sql"]).verdict, "warn");
  assert.match(judgeMigrations(sound, ["1_a.sql", "2_b.sql"]).message, /^1 not applied: 2$/);
});

Deno.test("each problem of an attached table is a finding with the statement that mends it", () => {
  const table = { source: "lead", table: "crm.customer", attached: true, roles: 4, fields: 1 };
  assert.deepEqual(judgeShape({ tables: [table], problems: [] }), [
    pass("database.shape", "crm.customer (lead): attached, 4 roles, 1 field"),
  ]);
  const remedy = "select mautic.attach('crm.customer');";
  const problem = {
    source: "lead",
    place: "crm.customer",
    name: "phone",
    problem: "the column is not there",
    remedy,
  };
  assert.deepEqual(judgeShape({ tables: [table], problems: [problem] }), [
    fail("database.shape", "crm.customer: phone: the column is not there", remedy),
  ]);
});

Deno.test("changes that wait for more than ten minutes fail", () => {
  assert.equal(judgeAge(null).verdict, "pass");
  assert.equal(judgeAge(30).verdict, "pass");
  assert.equal(judgeAge(601).verdict, "fail");
});

Deno.test("a frequent job that has not run for minutes is suspect, a nightly one is not", () => {
  const lastRun = { status: "succeeded", message: "", ageSeconds: 3_600 };
  const job = (name: string, schedule: string) => ({ name, schedule, active: true, lastRun });
  const found = [job("mautic-a", "10 seconds"), job("mautic-b", "17 3 * * *")];
  const verdicts = judgeCron({ wanted: ["mautic-a", "mautic-b"], found }).map((each) =>
    each.verdict
  );
  assert.deepEqual(verdicts, ["warn", "pass"]);
});

Deno.test("a bell that pg_net never sends is given up after twelve seconds", async () => {
  await using database = await testDatabase();
  let now = 0;
  const clock = {
    now: () => now,
    sleep: (ms: number) => {
      now += ms * 40;
      return Promise.resolve();
    },
  };
  const ring = await ringAndWait(database.sql, clock);
  assert.deepEqual(ring, { kind: "no_response" });
  assert.match(judgeRing(ring).message, /did not send/);
});

Deno.test("a bell answered by something else than the function fails, with its status", () => {
  const missing = judgeRing({ kind: "answered", status: 404, json: { code: "NOT_FOUND" } });
  assert.match(missing.message, /no function at mautic_sync_url/);
  const broken = judgeRing({ kind: "answered", status: 500, json: undefined });
  assert.match(broken.message, /answered 500 \(no answer of ours\)/);
});

Deno.test("a function that is not deployed, or whose platform checks JWTs, is named as such", () => {
  const url = "https://x.supabase.co/functions/v1/mautic-sync";
  const judge = (reached: Reached) =>
    judgeAddress("c", url, reached, "mautic-sync", "SUPABASE_URL");
  assert.match(judge(answered(404, { code: "NOT_FOUND" })).message, /not deployed/);
  assert.match(judge(answered(503, { code: "BOOT_ERROR" })).message, /does not start/);
  assert.match(String(judgeSecretKey(answered(401, { msg: "Invalid JWT" })).remedy), /verify_jwt/);
  assert.match(String(judgeAccepted(answered(401, { msg: "Invalid JWT" })).remedy), /verify_jwt/);
});

Deno.test("demo mode is a warning, a wrong configuration a failure that says what the function says", () => {
  const demo = answered(200, { ok: true, data: { demo: true } });
  assert.equal(judgePing(demo).verdict, "warn");
  const error = { code: "invalid_configuration", message: "Not configured: MAUTIC_CLIENT_ID." };
  const finding = judgePing(answered(503, { ok: false, error }));
  assert.equal(finding.verdict, "fail");
  assert.match(finding.message, /MAUTIC_CLIENT_ID/);
});

Deno.test("a publishable key that opens something, and a wrong secret that is let in, fail", () => {
  assert.equal(judgePrivate(answered(200, true)).verdict, "fail");
  assert.equal(judgePrivate(answered(401)).verdict, "pass");
  assert.equal(judgeRefused(answered(200)).verdict, "fail");
  assert.match(String(judgeExposed(answered(406)).remedy), /Exposed schemas/);
});

Deno.test("what answers at Mautic's address but is no Mautic is told so", () => {
  const base = "https://www.example.com";
  assert.match(String(judgeMauticAddress(base, answered(404))[0]?.message), /is no Mautic API/);
  const moved = answered(301, undefined, { Location: "https://m.example.com/api/contacts" });
  assert.match(
    String(judgeMauticAddress("http://m.example.com", moved)[0]?.remedy),
    /probably https:\/\/m\.example\.com\./,
  );
  const denied = answered(401, { errors: [{ code: 401, message: "no", type: "access_denied" }] });
  assert.deepEqual(judgeMauticAddress(base, denied).map(({ verdict }) => verdict), [
    "pass",
    "pass",
  ]);
  assert.equal(judgeMauticAddress("http://m.example.com", denied)[0]?.verdict, "warn");
  assert.equal(judgeVersion("4.4.13").verdict, "warn");
});

Deno.test("a project that is not live is told from a copy of one that is, each with the statement", () => {
  const told = { project: "abc", origin: "https://m.example.com" };
  const statement = /select mautic\.go_live\('abc', 'https:\/\/m\.example\.com'\);$/;
  const live = (project: string, origin = told.origin) => ({ project, origin, live: true });
  const waits = judgeLive(told, [{ ...told, live: false }], 3);
  assert.equal(waits.verdict, "fail");
  assert.match(waits.message, /^nobody has said .* nothing leaves, and 3 leads are queued$/);
  assert.match(String(waits.remedy), statement);
  const copy = judgeLive(told, [live("prod"), { ...told, live: false }], 0);
  assert.equal(copy.verdict, "warn");
  assert.equal(copy.message, "this database was copied from project prod; it sends nothing");
  assert.match(String(copy.remedy), statement);
  // Another Mautic of the same project makes it no copy.
  const moved = judgeLive(told, [live("prod"), live("abc", "https://old.example.com")], 0);
  assert.match(moved.message, /^nobody has said/);
  assert.equal(judgeLive(told, [live("abc"), live("prod")], 9).verdict, "pass");
  assert.equal(judgeLive(null, [live("abc")], 9).verdict, "warn");
});

Deno.test("scores that cannot reach the threshold are told with both remedies", () => {
  const on = { enabled: true, threshold: 70 };
  const scores = { leads: 3, highest: 1, expression: "l.propensity" };
  const finding = judgeScore(on, scores);
  assert.equal(finding.verdict, "warn");
  assert.match(finding.message, /3 leads have a score, the highest is 1, the threshold 70$/);
  assert.match(
    String(finding.remedy),
    /MAUTIC_HIGH_VALUE_THRESHOLD=0\.7; .*score => 'l\.propensity \* 100'/,
  );
  const low = judgeScore(on, { ...scores, highest: 50 });
  assert.match(String(low.remedy), /THRESHOLD=…; .*'l\.propensity \* …'/);
  for (
    const [settings, given] of [
      [{ ...on, enabled: false }, scores],
      [{ ...on, threshold: 0.7 }, scores],
      [on, { ...scores, highest: 70 }],
      [on, { leads: 0, highest: null, expression: null }],
    ] as const
  ) assert.equal(judgeScore(settings, given).verdict, "pass");
});

Deno.test("a field is required of leads only while it is published, without a default and not filled", () => {
  const field = {
    alias: "branche",
    type: "text",
    isPublished: true,
    isRequired: true,
    defaultValue: null,
  };
  const judge = (more: object, mapped: string[] = []) =>
    judgeRequired(mapped.map((alias) => ({ alias, type: "text" })), [{ ...field, ...more }])
      .verdict;
  assert.equal(judge({}), "fail");
  assert.equal(judge({ defaultValue: "" }), "fail");
  assert.equal(judge({ alias: "email" }), "pass");
  assert.equal(judge({}, ["branche"]), "pass");
  assert.equal(judge({ isPublished: false }), "pass");
  assert.equal(judge({ defaultValue: "Bau" }), "pass");
});

Deno.test("a campaign outside its dates enrols nobody", () => {
  const campaign = { id: 1, name: "VIP", isPublished: true };
  const now = Date.parse("2026-06-01T00:00:00Z");
  const judge = (dates: object) => judgeCampaign(1, { ...campaign, ...dates }, now).verdict;
  assert.equal(judge({ publishDown: "2026-05-01T00:00:00+00:00" }), "fail");
  assert.equal(judge({ publishUp: "2026-07-01T00:00:00+00:00" }), "warn");
  assert.equal(judge({ publishUp: null, publishDown: null }), "pass");
});

Deno.test("a webhook address that ends in a slash is named: Mautic follows no redirect", () => {
  const url = "https://x.supabase.co/functions/v1/mautic-webhook";
  const hook = {
    id: 7,
    webhookUrl: `${url}/?secret=s3cret`,
    isPublished: true,
    triggers: ["mautic.lead_channel_subscription_changed"],
    createdBy: 1,
  };
  const [exists] = judgeHooks([hook], url, { secret: "s3cret", signingKey: null, maxBytes: 1 });
  assert.equal(exists?.verdict, "fail");
  assert.match(String(exists?.message), /slash/);
});

Deno.test("a report blots out secrets, counts, and is ok while nothing fails", () => {
  const report = makeReport([pass("a", "fine"), fail("b", "got hunter2", "drop hunter2")], [
    "hunter2",
  ]);
  assert.deepEqual(report.counts, { pass: 1, warn: 0, fail: 1 });
  assert.equal(report.ok, false);
  assert.ok(!reportLines(report).join("\n").includes("hunter2"));
});
