import assert from "node:assert/strict";
import { systemClock } from "shared/runtime/clock.ts";
import { createLog } from "shared/runtime/log.ts";
import { marked } from "../../local/canary/canary.ts";
import { createHandler } from "../../supabase/functions/mautic-sync/handler.ts";

const supabase = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_SECRET_KEYS: '{"default":"sb_secret_one","cron":"sb_secret_two"}',
  SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_one"}',
  SUPABASE_SERVICE_ROLE_KEY: "legacy-service-role",
};
const mautic = {
  MAUTIC_BASE_URL: "http://127.0.0.1:9",
  MAUTIC_CLIENT_ID: "1_id",
  MAUTIC_CLIENT_SECRET: marked("client-secret-canary"),
};
const key = { apikey: "sb_secret_one" };

interface Answer {
  ok: boolean;
  data?: Record<string, unknown>;
  error?: { code: string; message: string; details?: unknown };
  correlationId: string;
  durationMs: number;
}

function sync(env: Record<string, string>) {
  const lines: string[] = [];
  const handler = createHandler({
    platform: { env, background: () => {} },
    fetch: () => Promise.reject(new TypeError("no network in this test")),
    clock: systemClock,
    random: Math.random,
    log: createLog({ name: "test", write: (line) => lines.push(line), now: Date.now }),
  });
  async function call(body: BodyInit | object | null, init: RequestInit = {}) {
    const plain = body !== null && typeof body === "object" &&
      Object.getPrototypeOf(body) === Object.prototype;
    const response = await handler(
      new Request("http://f/mautic-sync", {
        method: "POST",
        body: plain ? JSON.stringify(body) : body as BodyInit | null,
        ...init,
      }),
    );
    const answer: Answer = await response.json();
    return { status: response.status, headers: response.headers, answer };
  }
  return { call, lines };
}

Deno.test("only a secret key, or the service-role key as bearer, may call mautic-sync", async () => {
  const { call } = sync(supabase);
  const accepted: HeadersInit[] = [
    { apikey: "sb_secret_one" },
    { apikey: "sb_secret_two" },
    { authorization: "Bearer legacy-service-role" },
    { apikey: "legacy-service-role", authorization: "Bearer legacy-service-role" },
  ];
  for (const headers of accepted) {
    assert.equal(
      (await call({ action: "ping" }, { headers })).status,
      200,
      JSON.stringify(headers),
    );
  }
  const refused: HeadersInit[] = [
    {},
    { apikey: "" },
    { apikey: "sb_publishable_one" },
    { apikey: "sb_secret_on" },
    { apikey: "sb_secret_one " + "x" },
    { authorization: "Bearer sb_publishable_one" },
    { authorization: "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0." },
    { authorization: "Basic legacy-service-role" },
  ];
  for (const headers of refused) {
    const { status, answer } = await call({ action: "ping" }, { headers });
    assert.equal(status, 401, JSON.stringify(headers));
    assert.equal(answer.error?.code, "unauthorized");
  }
});

const bad: [string, BodyInit | object | null, number, string, string][] = [
  ["no body", null, 400, "invalid_json", ""],
  ["no JSON", "{action:ping}", 400, "invalid_json", ""],
  ["broken UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400, "invalid_json", ""],
  ["a list", "[]", 400, "invalid_body", "(body)"],
  ["an unknown action", { action: "explode" }, 400, "invalid_body", "action"],
  ["no action", {}, 400, "invalid_body", "action"],
  ["a campaign without ids", { action: "add_to_campaign" }, 400, "invalid_body", "mauticContactId"],
  [
    "a fractional id",
    { action: "add_to_campaign", mauticContactId: 1.5, campaignId: "1" },
    400,
    "invalid_body",
    "mauticContactId",
  ],
  [
    "a hostile id",
    { action: "add_to_campaign", mauticContactId: "1/../2", campaignId: 1 },
    400,
    "invalid_body",
    "mauticContactId",
  ],
  [
    "a lead without id",
    { action: "upsert_contact", payload: { contact: { email: "a@example.test" } } },
    400,
    "invalid_body",
    "payload.id",
  ],
  [
    "a lead without address",
    { action: "upsert_contact", payload: { id: "1", contact: {} } },
    400,
    "invalid_body",
    "payload.contact.email",
  ],
  [
    "a wrong score",
    {
      action: "upsert_contact",
      payload: { id: "1", contact: { email: "a@example.test" }, ml: { score: "high" } },
    },
    400,
    "invalid_body",
    "payload.ml.score",
  ],
  ["no payload", { action: "upsert_contact" }, 400, "invalid_body", "payload"],
  [
    "an address Mautic would change",
    { action: "upsert_contact", payload: { id: "1", contact: { email: "josé@example.test" } } },
    422,
    "invalid_email",
    "payload.contact.email",
  ],
  ["a body over 1 MiB", "[" + "1,".repeat(600_000) + "1]", 413, "body_too_large", ""],
];
for (const [what, body, status, code, path] of bad) {
  Deno.test(`${what} is answered with ${code}${path ? ` naming ${path}` : ""}`, async () => {
    const { status: got, answer } = await sync(supabase).call(body, { headers: key });
    assert.equal(got, status);
    assert.equal(answer.ok, false);
    assert.equal(answer.error?.code, code);
    assert.ok(JSON.stringify(answer.error).includes(path));
  });
}

Deno.test("other methods are refused with the allowed ones", async () => {
  const { status, headers } = await sync(supabase).call(null, { method: "PUT", headers: key });
  assert.equal(status, 405);
  assert.equal(headers.get("allow"), "GET, POST");
});

Deno.test("the caller's correlation id comes back; one that could forge a log line does not", async () => {
  const { call } = sync(supabase);
  const { answer, headers } = await call({ action: "ping" }, {
    headers: { ...key, "x-correlation-id": "abc-1" },
  });
  assert.equal(answer.correlationId, "abc-1");
  assert.equal(headers.get("x-correlation-id"), "abc-1");
  const forged = await call({ action: "ping" }, {
    headers: { ...key, "x-correlation-id": 'x","level":"error' },
  });
  assert.match(forged.answer.correlationId, /^[0-9a-f-]{36}$/);
});

Deno.test("without Mautic settings it runs in demo mode: checks, logs masked, calls nobody", async () => {
  const { call, lines } = sync(supabase);
  const lead = { id: "1", contact: { email: "somebody@example.test" } };
  const upsert = await call({ action: "upsert_contact", payload: lead }, { headers: key });
  assert.deepEqual([upsert.status, upsert.answer.data], [200, {
    demo: true,
    success: true,
    contactId: null,
    action: "created",
  }]);
  const pinged = await call({ action: "ping" }, { headers: key });
  assert.deepEqual(pinged.answer.data, {
    demo: true,
    mautic: null,
    tokenCached: false,
    settings: null,
    supersededSettings: [],
  });
  const drained = await call({ action: "drain" }, { headers: key });
  assert.deepEqual([drained.status, drained.answer.data], [202, { demo: true, accepted: false }]);
  const added = await call({ action: "add_to_campaign", mauticContactId: "7", campaignId: 5 }, {
    headers: key,
  });
  assert.equal(added.answer.data?.["demo"], true);
  assert.ok(lines.length >= 3);
  assert.ok(!lines.join("").includes("somebody"));
});

Deno.test("half a configuration is answered by name, for every action, and shows no secret", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ MAUTIC_BASE_URL: "https://m.example.test" }, "MAUTIC_CLIENT_SECRET"],
    [{ ...mautic, MAUTIC_BASE_URL: "m.example.test" }, "MAUTIC_BASE_URL"],
    [{ ...mautic, MAUTIC_HIGH_VALUE_THRESHOLD: "lots" }, "MAUTIC_HIGH_VALUE_THRESHOLD"],
    [{ ...mautic, MAUTIC_ENROLLMENT_ENABLED: "true" }, "MAUTIC_CAMPAIGN_HIGH_VALUE"],
  ];
  for (const [env, name] of cases) {
    for (const action of ["drain", "ping"]) {
      const { status, answer } = await sync({ ...supabase, ...env }).call({ action }, {
        headers: key,
      });
      assert.equal(status, 503);
      assert.equal(answer.error?.code, "invalid_configuration");
      assert.ok(JSON.stringify(answer.error).includes(name), name);
      assert.ok(!JSON.stringify(answer).includes("client-secret-canary"));
    }
  }
});

Deno.test("without Supabase settings nobody can be told from another: 503 with the variables' names", async () => {
  const { status, answer } = await sync(mautic).call({ action: "ping" }, { headers: key });
  assert.equal(status, 503);
  assert.match(JSON.stringify(answer.error), /SUPABASE_URL/);
});

Deno.test("a database that cannot be reached is answered as such, without a stack trace", async () => {
  const lead = { id: "1", contact: { email: "a@example.test" } };
  const { status, answer } = await sync({ ...supabase, ...mautic }).call(
    { action: "upsert_contact", payload: lead },
    { headers: key },
  );
  assert.equal(status, 503);
  assert.equal(answer.error?.code, "database_unavailable");
  assert.ok(!JSON.stringify(answer).includes(" at "));
});
