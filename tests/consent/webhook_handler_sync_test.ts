import assert from "node:assert/strict";
import fc from "fast-check";
import {
  change,
  readFixture,
  recordedDeliveries,
  secret,
  startWebhook,
  subscriptionChanged,
  webhook,
} from "./support.ts";

const settings = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_SECRET_KEYS: '{"default":"sb_secret_one"}',
  MAUTIC_WEBHOOK_SECRET: secret,
};

/** A Data API that takes everything, and what it was sent. */
function database(answer: (attempt: number) => Response) {
  const sent: { p_events: unknown[]; p_body: string; p_origin: string | null }[] = [];
  const fetchDatabase: typeof fetch = (_input, init) => {
    sent.push(JSON.parse(String(init?.body)));
    return Promise.resolve(answer(sent.length));
  };
  return { sent, fetchDatabase };
}
const taken = () => Response.json({ delivery_id: 1, duplicate: false, results: [] });

Deno.test("only a POST is served, and no answer makes Mautic switch the webhook off at once", async () => {
  const { post } = webhook(settings);
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const { status, headers } = await post(null, { method });
    assert.equal(status, 405, method);
    assert.equal(headers.get("allow"), "POST");
  }
});

Deno.test("without proof of origin nothing is stored and the answer is 401", async () => {
  const { sent, fetchDatabase } = database(taken);
  const { post } = webhook(settings, fetchDatabase);
  for (const query of ["", "?secret=no", `?secret=${secret}&secret=${secret}`]) {
    const { status, answer } = await post({}, { query });
    assert.deepEqual([status, answer.error?.code], [401, "proof_refused"], query);
  }
  const open = webhook({ ...settings, MAUTIC_WEBHOOK_SECRET: "" }, fetchDatabase);
  const { status, answer } = await open.post({}, { query: "?secret=" });
  assert.equal(status, 401);
  assert.match(answer.error?.message ?? "", /MAUTIC_WEBHOOK_SECRET/);
  assert.equal(sent.length, 0);
});

Deno.test("a body above the limit is 413, whatever content-length says", async () => {
  const { sent, fetchDatabase } = database(taken);
  const env = { ...settings, MAUTIC_WEBHOOK_MAX_BYTES: "2048" };
  const { post } = webhook(env, fetchDatabase);
  const body = JSON.stringify({ note: "x".repeat(2048) });
  const chunks = () =>
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode("x".repeat(512)));
      },
    });
  assert.equal((await post(body)).status, 413);
  assert.equal((await post(body, { headers: { "content-length": "10" } })).status, 413);
  assert.equal((await post("{}", { headers: { "content-length": "99999" } })).status, 413);
  // Endless: it has to stop reading.
  assert.equal((await post(chunks())).status, 413);
  assert.equal(sent.length, 0);
  assert.equal((await post(JSON.stringify({ note: "x".repeat(2048 - 11) }))).status, 200);
});

Deno.test("what is no JSON in UTF-8 is 400", async () => {
  const { post } = webhook(settings, database(taken).fetchDatabase);
  const bodies = ["", "{", "a=b", "\ufeff{}", new Uint8Array([34, 0xff, 34])];
  for (const body of bodies) {
    const { status, answer } = await post(body);
    assert.deepEqual([status, answer.error?.code], [400, "invalid_json"]);
  }
});

Deno.test("the raw body is stored as it came, with the origin it is attributed to", async () => {
  const { sent, fetchDatabase } = database(taken);
  const body = '{ "a":"\\u00e9\\/ é" ,"a":1}\n';
  const origin = { headers: { "X-Origin-Base-URL": "https://said.test/mautic/" } };
  await webhook(settings, fetchDatabase).post(body, origin);
  await webhook({ ...settings, MAUTIC_BASE_URL: "https://set.test/" }, fetchDatabase).post(
    body,
    origin,
  );
  await webhook({ ...settings, MAUTIC_BASE_URL: "nonsense" }, fetchDatabase).post(body);
  assert.deepEqual(sent.map((each) => [each.p_body, each.p_origin]), [
    [body, "https://said.test/mautic"],
    [body, "https://set.test"],
    [body, null],
  ]);
});

Deno.test("a database that fails once is asked again; one that stays away is 503 by name", async () => {
  const once = database((attempt) =>
    attempt === 1 ? Response.json({ message: "gone" }, { status: 503 }) : taken()
  );
  assert.equal((await webhook(settings, once.fetchDatabase).post({})).status, 200);
  const away = database(() => Response.json({ message: "gone" }, { status: 503 }));
  const { status, answer } = await webhook(settings, away.fetchDatabase).post({});
  assert.deepEqual([status, answer.error?.code], [503, "database_unavailable"]);
});

Deno.test("half the settings are an error that names what is missing", async () => {
  const { post } = webhook({ SUPABASE_URL: "http://127.0.0.1:9", MAUTIC_WEBHOOK_SECRET: secret });
  const { status, answer } = await post({});
  assert.deepEqual([status, answer.error?.code], [503, "invalid_configuration"]);
  assert.match(answer.error?.message ?? "", /SUPABASE_SECRET_KEYS/);
});

Deno.test("without Supabase settings events are logged, nothing changes, and the answer says so", async () => {
  const { post, lines } = webhook({});
  const body = {
    [subscriptionChanged]: [change({ id: 1, email: "ann@example.test", status: "bounced" })],
  };
  const { status, answer } = await post(body, { query: "" });
  assert.equal(status, 200);
  assert.equal(answer.data?.demo, true);
  assert.equal(answer.data?.eventsProcessed, 0);
  assert.deepEqual(answer.data?.results[0], {
    email: "a***@e***.test",
    type: "bounce",
    processed: false,
    outcome: "demo",
  });
  assert.ok(lines.some((line) => line.includes("demo_event") && line.includes("bounce")));
  const guarded = webhook({ MAUTIC_WEBHOOK_SECRET: secret });
  assert.equal((await guarded.post(body, { query: "?secret=no" })).status, 401);
});

Deno.test("neither secrets nor addresses reach answers or log lines", async () => {
  const { sent, fetchDatabase } = database(taken);
  const { post, lines } = webhook(settings, fetchDatabase);
  const event = change({ id: 1, email: "canary@example.test", status: "bounced", at: 1 });
  const { answer } = await post({ [subscriptionChanged]: [event, { ...event, new_status: "?" }] });
  const refused = await post({}, { query: "?secret=canary-secret" });
  assert.equal(refused.status, 401);
  assert.equal(sent.length, 1);
  const said = JSON.stringify([answer, refused.answer]) + lines.join("");
  assert.ok(!said.includes("canary") && !said.includes(secret) && !said.includes("sb_secret"));
});

Deno.test("every recorded delivery is accepted and stored, signed or by secret", async () => {
  await using inbox = await startWebhook({ MAUTIC_WEBHOOK_SECRET: "my-chosen-secret" });
  const { db } = inbox;
  for (const delivery of await recordedDeliveries()) {
    const signed = delivery.key === "my-chosen-secret";
    const { status, answer } = await inbox.post(delivery.body, {
      headers: delivery.headers,
      query: signed ? "" : "?secret=my-chosen-secret",
    });
    assert.equal(status, 200, delivery.case);
    assert.equal(answer.data?.eventsFailed, 0);
  }
  const [row] = await db.sql`
    select count(*)::int as n, count(*) filter (where state = 'pending')::int as pending
    from mautic.webhook_event`;
  // Nobody of them is a lead: all wait.
  assert.equal(row?.n, row?.pending);
  assert.ok(row?.n > 15);
});

Deno.test("the answer has the shape of the original integration", async () => {
  await using inbox = await startWebhook();
  await inbox.db.sql`insert into public.leads (email) values ('john@example.com')`;
  const body = {
    [subscriptionChanged]: [{
      lead: { id: 123, email: "john@example.com" },
      channel: "email",
      old_status: "subscribed",
      new_status: "unsubscribed",
    }],
  };
  const { status, answer } = await inbox.post(body);
  assert.equal(status, 200);
  assert.equal(answer.ok, true);
  assert.deepEqual(answer.data, {
    eventsProcessed: 1,
    eventsFailed: 0,
    results: [{ email: "j***@e***.com", type: "unsubscribe", processed: true, outcome: "applied" }],
    ignored: 0,
    unknown: 0,
  });
  assert.match(answer.correlationId, /^[0-9a-f-]{36}$/);
});

Deno.test("the test button is stored and answered, never applied", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await db.sql`insert into public.leads (email) values ('john@example.com')`;
  const event = change({ id: 1, email: "john@example.com", status: "unsubscribed", at: 1 });
  const { answer } = await inbox.post({ [subscriptionChanged]: event, timestamp: "2026-01-01" });
  assert.deepEqual([answer.data?.test, answer.data?.eventsProcessed], [true, 0]);
  assert.equal((await inbox.post(await readFixture("webhook-test-button.json"))).status, 200);
  const [row] = await db.sql`
    select
      (select count(*)::int from mautic.webhook_delivery where is_test) as kept,
      (select count(*)::int from mautic.webhook_event) as events,
      (select count(*)::int from public.leads where email_status is not null) as changed`;
  assert.deepEqual({ ...row }, { kept: 2, events: 0, changed: 0 });
  const [replayed] = await db.sql`select mautic.replay_webhook(1) ->> 'state' as state`;
  assert.equal(replayed?.state, "test");
});

Deno.test("arbitrary JSON never causes a 5xx", async () => {
  await using inbox = await startWebhook();
  const words = fc.constantFrom<unknown>(
    "contactable",
    "bounced",
    "email",
    "a@b.test",
    "\u0000",
    "\ud800",
    1e300,
    -1,
    "99999999999999",
    "2026-01-01T00:00:00Z",
    "9999-01-01T00:00:00Z",
    null,
    true,
    {},
    [],
  );
  const anything = fc.oneof(words, fc.jsonValue({ maxDepth: 3 }));
  const person = fc.record({
    id: anything,
    email: anything,
    fields: anything,
    doNotContact: fc.array(fc.record({ channel: words, comments: anything, channelId: words })),
  }, { requiredKeys: [] });
  const item = fc.record({
    contact: fc.oneof(person, anything),
    lead: fc.oneof(person, anything),
    channel: fc.oneof(fc.constant("email"), anything),
    new_status: words,
    timestamp: anything,
  }, { requiredKeys: [] });
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ [subscriptionChanged]: fc.oneof(fc.array(item), item, anything) }),
  );
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const { status, answer } = await inbox.post(JSON.stringify(value) ?? "null");
      assert.equal(status, 200);
      assert.ok(!answer.data?.results.some(({ outcome }) => outcome === "failed"));
    }),
    { numRuns: 150 },
  );
  const [failed] = await inbox.db.sql`
    select count(*)::int as n from mautic.webhook_delivery where error is not null`;
  assert.equal(failed?.n, 0);
});
