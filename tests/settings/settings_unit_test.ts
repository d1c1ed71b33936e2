import fc from "fast-check";
import assert from "node:assert/strict";
import { readSupabaseSettings } from "shared/settings/supabase.ts";
import { readSyncSettings } from "shared/settings/sync.ts";
import { readWebhookSettings } from "shared/settings/webhook.ts";

const live = {
  MAUTIC_BASE_URL: "https://mautic.example.test",
  MAUTIC_CLIENT_ID: "1_abc",
  MAUTIC_CLIENT_SECRET: "s3cret-value",
};

Deno.test("readSyncSettings() without any Mautic setting is demo mode", () => {
  assert.deepEqual(readSyncSettings({}), { mode: "demo", superseded: [] });
  assert.deepEqual(readSyncSettings({ MAUTIC_BASE_URL: " ", MAUTIC_BATCH_SIZE: "x" }), {
    mode: "demo",
    superseded: [],
  });
});

Deno.test("readSyncSettings() has the documented defaults", () => {
  const reading = readSyncSettings(live);
  assert.ok(reading.mode === "live");
  assert.deepEqual(reading.settings, {
    baseUrl: "https://mautic.example.test",
    clientId: "1_abc",
    clientSecret: "s3cret-value",
    fieldMaxLength: 64,
    limits: { text: 64 },
    enrollment: {
      enabled: false,
      threshold: 70,
      campaignId: null,
      stages: ["qualified", "converted"],
    },
    nativeUtmTags: false,
    batchSize: 50,
    maxWorkers: 2,
    requestTimeoutMs: 30_000,
    serverTimeLimitMs: 60_000,
    workerLeaseMs: 10_000,
    lingerMs: 1_500,
    workerBudgetMs: 100_000,
    workerBudgetLeads: 2_000,
    workerBudgetRequests: 800,
    retry: { retries: 3, delayMs: 1_000, maxServerDelayMs: 10_000 },
  });
});

Deno.test("readSyncSettings() names the credentials that are missing", () => {
  for (const name of ["MAUTIC_BASE_URL", "MAUTIC_CLIENT_ID", "MAUTIC_CLIENT_SECRET"]) {
    const reading = readSyncSettings({ ...live, [name]: "" });
    assert.ok(reading.mode === "invalid");
    assert.deepEqual(reading.problems.map(({ variable }) => variable), [name]);
  }
});

Deno.test("readSyncSettings() normalises the address and keeps a sub-folder", () => {
  for (
    const [given, baseUrl] of [
      ["https://Mautic.Example.test/", "https://mautic.example.test"],
      ["https://example.test:443/crm//", "https://example.test/crm"],
      [" http://127.0.0.1:8080 ", "http://127.0.0.1:8080"],
    ] as const
  ) {
    const reading = readSyncSettings({ ...live, MAUTIC_BASE_URL: given });
    assert.ok(reading.mode === "live");
    assert.equal(reading.settings.baseUrl, baseUrl);
  }
});

for (
  const [variable, value, says] of [
    ["MAUTIC_BASE_URL", "mautic.example.test", /http/],
    ["MAUTIC_BASE_URL", "ftp://example.test", /http/],
    ["MAUTIC_BASE_URL", "https://user:pw@example.test", /user name or password/],
    ["MAUTIC_BASE_URL", "https://example.test/?a=1", /query/],
    ["MAUTIC_BASE_URL", "https://example.test/#x", /fragment/],
    ["MAUTIC_BASE_URL", "https://example.test/api", /without \/api/],
    ["MAUTIC_CLIENT_SECRET", "a\nb", /line break/],
    ["MAUTIC_ENROLLMENT_ENABLED", "maybe", /"maybe"; expected true or false/],
    ["MAUTIC_HIGH_VALUE_THRESHOLD", "high", /"high"; expected a number/],
    ["MAUTIC_CAMPAIGN_HIGH_VALUE", "0", /"0"; expected an id/],
    ["MAUTIC_ELIGIBLE_STAGES", ", ,", /expected names/],
    ["MAUTIC_FIELD_MAX_LENGTH", "1000", /from 16 to 191/],
    ["MAUTIC_BATCH_SIZE", "201", /from 1 to 200/],
    ["MAUTIC_BATCH_SIZE", "5.5", /whole number/],
    ["MAUTIC_MAX_WORKERS", "0", /from 1/],
    ["MAUTIC_REQUEST_TIMEOUT_MS", "-1", /from/],
  ] as const
) {
  Deno.test(`readSyncSettings() refuses ${variable}=${value.replace("\n", "\\n")}`, () => {
    const reading = readSyncSettings({ ...live, [variable]: value });
    assert.ok(reading.mode === "invalid");
    const [problem] = reading.problems;
    assert.ok(problem && reading.problems.length === 1);
    assert.match(`${problem.variable} ${problem.message}`, says);
    assert.ok(!JSON.stringify(reading).includes("s3cret"));
  });
}

Deno.test("readSyncSettings() wants a campaign where enrolment is on", () => {
  const reading = readSyncSettings({ ...live, MAUTIC_ENROLLMENT_ENABLED: "true" });
  assert.ok(reading.mode === "invalid");
  assert.equal(reading.problems[0]?.variable, "MAUTIC_CAMPAIGN_HIGH_VALUE");
});

const mapScore = "select mautic.unmap_field('hki_score'); select mautic.map_field(";
for (
  const [variable, value, statement] of [
    ["MAUTIC_FIELD_SCORE", "points_x", `${mapScore}'points_x', 'score');`],
    ["MAUTIC_FIELD_SCORE", " hki_score ", null],
    ["MAUTIC_FIELD_SCORE", "-", "select mautic.unmap_field('hki_score');"],
    ["MAUTIC_FIELD_SCORE", "s3cret-Value'", `${mapScore}'<alias>', 'score');`],
    ["MAUTIC_FIELD_NOBODY_KNOWS", "s3cret", null],
    [
      "MAUTIC_FIELD_STATUS",
      "crm",
      "select mautic.unmap_field('hki_status'); select mautic.map_field('crm', 'stage');",
    ],
    [
      "MAUTIC_FIELD_LEAD_ID",
      "crm_id",
      "select mautic.unmap_field('hki_lead_id'); select mautic.map_field('crm_id', 'key');",
    ],
    ...["source", "medium", "campaign", "term", "content"].map((part) =>
      [
        `MAUTIC_FIELD_UTM_${part.toUpperCase()}`,
        "x",
        `select mautic.unmap_field('hki_utm_${part}'); ` +
        `select mautic.map_field('x', 'utm_${part}');`,
      ] as const
    ),
  ] as const
) {
  Deno.test(`readSyncSettings() does not heed ${variable}=${value} and says what takes its place`, () => {
    const expected = [{ variable, statement }];
    const reading = readSyncSettings({ ...live, [variable]: value });
    assert.deepEqual([reading.mode, reading.superseded], ["live", expected]);
    assert.deepEqual(readSyncSettings({ [variable]: value }), {
      mode: "demo",
      superseded: expected,
    });
    assert.ok(!JSON.stringify(reading.superseded).includes("s3cret"));
  });
}

Deno.test("readSyncSettings() names no variable that is unset, or still a setting, as superseded", () => {
  const { superseded } = readSyncSettings({
    ...live,
    MAUTIC_FIELD_MAX_LENGTH: "64",
    MAUTIC_FIELD_SCORE: " ",
    MAUTIC_FIELD_STATUS: undefined,
  });
  assert.deepEqual(superseded, []);
});

Deno.test("readSyncSettings() is total and names every problem by its variable", () => {
  const names = fc.constantFrom("MAUTIC_BATCH_SIZE", "MAUTIC_FIELD_SCORE", ...Object.keys(live));
  fc.assert(fc.property(fc.dictionary(names, fc.string()), (env) => {
    const reading = readSyncSettings(env);
    if (reading.mode !== "invalid") return;
    assert.ok(reading.problems.length > 0);
    for (const { variable, message } of reading.problems) {
      assert.ok(variable.startsWith("MAUTIC_") && message.length > 0);
    }
  }));
});

Deno.test("readSupabaseSettings() prefers the named keys, then the single one, then the legacy one", () => {
  const url = { SUPABASE_URL: "https://ref.supabase.co/" };
  for (
    const [env, secretKey, acceptedKeys] of [
      [{ SUPABASE_SECRET_KEYS: '{"web":"k1","default":"k2"}' }, "k2", ["k1", "k2"]],
      [{ SUPABASE_SECRET_KEYS: '{"web":"k1"}', SUPABASE_SECRET_KEY: "k3" }, "k1", ["k1", "k3"]],
      [{ SUPABASE_SECRET_KEY: "k3", SUPABASE_SERVICE_ROLE_KEY: "jwt" }, "k3", ["k3"]],
      [{ SUPABASE_SERVICE_ROLE_KEY: "jwt" }, "jwt", []],
    ] as const
  ) {
    const reading = readSupabaseSettings({ ...url, ...env });
    assert.ok(reading.ok);
    assert.equal(reading.settings.url, "https://ref.supabase.co");
    assert.equal(reading.settings.secretKey, secretKey);
    assert.deepEqual(reading.settings.acceptedKeys, acceptedKeys);
  }
});

Deno.test("readSupabaseSettings() names what is missing or malformed, and shows no key", () => {
  for (
    const [env, variables] of [
      [{}, ["SUPABASE_URL", "SUPABASE_SECRET_KEYS"]],
      [{ SUPABASE_URL: "https://x.test" }, ["SUPABASE_SECRET_KEYS"]],
      [{ SUPABASE_URL: "https://x.test", SUPABASE_SECRET_KEYS: "s3cret" }, [
        "SUPABASE_SECRET_KEYS",
      ]],
      [{ SUPABASE_URL: "x", SUPABASE_SECRET_KEY: "s3cret" }, ["SUPABASE_URL"]],
    ] as const
  ) {
    const reading = readSupabaseSettings(env);
    assert.ok(!reading.ok);
    assert.deepEqual(reading.problems.map(({ variable }) => variable), variables);
    assert.ok(!JSON.stringify(reading).includes("s3cret"));
  }
});

Deno.test("readWebhookSettings() tells set from unset and checks the size limit", () => {
  assert.equal(readWebhookSettings({}).mode, "unset");
  const reading = readWebhookSettings({ MAUTIC_WEBHOOK_SECRET: "a" });
  assert.ok(reading.mode === "ready");
  assert.deepEqual(reading.settings, { secret: "a", signingKey: null, maxBytes: 1_048_576 });
  assert.equal(readWebhookSettings({ MAUTIC_WEBHOOK_MAX_BYTES: "big" }).mode, "invalid");
});
