import assert from "node:assert/strict";
import type { FaultKind } from "../../local/mautic/faults.ts";
import { at, callerOf, startWithCaller } from "./caller.ts";

const email = "lead@example.test";

const answered: { kind: FaultKind; status: number; isDone: boolean }[] = [
  { kind: "500", status: 500, isDone: false },
  { kind: "500_after", status: 500, isDone: true },
  { kind: "503", status: 503, isDone: false },
  { kind: "429", status: 429, isDone: false },
];

for (const { kind, status, isDone } of answered) {
  Deno.test(`failNext() with ${kind} answers ${status}, the work ${isDone ? "" : "not "}done`, async () => {
    await using run = await startWithCaller();
    run.mautic.failNext({ kind });
    const failed = await run.ask("POST", "/api/contacts/new", { email });
    assert.equal(failed.status, status);
    assert.equal(run.mautic.contacts.size, isDone ? 1 : 0);
    const next = await run.ask("POST", "/api/contacts/new", { email });
    assert.equal(next.status, isDone ? 200 : 201);
  });
}

Deno.test("failNext() with html answers a proxy's page instead of JSON", async () => {
  await using run = await startWithCaller();
  run.mautic.failNext({ kind: "html" });
  const response = await fetch(`${run.mautic.url}/api/contacts`);
  assert.equal(response.status, 502);
  assert.match(await response.text(), /<html>/);
});

Deno.test("failNext() sends Retry-After when it is given one", async () => {
  await using run = await startWithCaller();
  run.mautic.failNext({ kind: "503", retryAfterSeconds: 7 });
  const { headers } = await run.ask("GET", "/api/contacts");
  assert.equal(headers.get("retry-after"), "7");
});

for (
  const { kind, isDone } of [
    { kind: "cut_before", isDone: false },
    { kind: "cut_after", isDone: true },
  ] as const
) {
  Deno.test(`failNext() with ${kind} closes the connection, the work ${isDone ? "" : "not "}done`, async () => {
    await using run = await startWithCaller();
    run.mautic.failNext({ kind });
    await assert.rejects(run.ask("POST", "/api/contacts/new", { email }));
    assert.equal(run.mautic.contacts.size, isDone ? 1 : 0);
    assert.equal(run.mautic.requests.at(-1)?.status, null);
  });
}

for (
  const { kind, isDone } of [
    { kind: "hang_before", isDone: false },
    { kind: "hang_after", isDone: true },
  ] as const
) {
  Deno.test(`failNext() with ${kind} never answers, the work ${isDone ? "" : "not "}done`, async () => {
    await using run = await startWithCaller();
    run.mautic.failNext({ kind });
    const patience = new AbortController();
    const started = run.mautic.waitForStart(() => true);
    const asking = run.ask("POST", "/api/contacts/new", { email }, patience.signal);
    const failing = assert.rejects(asking);
    await started;
    if (isDone) await run.mautic.waitFor(() => run.mautic.contacts.size === 1);
    const ended = run.mautic.waitForRequest(() => true);
    patience.abort();
    await failing;
    await ended;
    assert.equal(run.mautic.contacts.size, isDone ? 1 : 0);
  });
}

Deno.test("failNext() with slow does the work after the caller has given up", async () => {
  const delay = Promise.withResolvers<void>();
  await using run = await startWithCaller({
    clock: { now: () => 0, sleep: () => delay.promise },
  });
  run.mautic.failNext({ kind: "slow", delayMs: 60_000 });
  const patience = new AbortController();
  const started = run.mautic.waitForStart(() => true);
  const ended = run.mautic.waitForRequest(() => true);
  const asking = run.ask("POST", "/api/contacts/new", { email }, patience.signal);
  const failing = assert.rejects(asking);
  await started;
  patience.abort();
  await failing;
  assert.equal(run.mautic.contacts.size, 0);
  delay.resolve();
  await ended;
  assert.equal(run.mautic.contacts.size, 1);
});

Deno.test("failNext() counts, skips and matches", async () => {
  await using run = await startWithCaller();
  const fault = run.mautic.failNext({ kind: "500", match: "/batch/", skip: 1, times: 2 });
  const statuses: number[] = [];
  for (let index = 0; index < 4; index++) {
    statuses.push((await run.ask("POST", "/api/contacts/batch/new", [])).status);
    await run.ask("GET", "/api/contacts");
  }
  assert.deepEqual(statuses, [201, 500, 500, 201]);
  assert.equal(fault.hits(), 2);
});

Deno.test("setDown() refuses connections until it is set up again, on the same port", async () => {
  await using run = await startWithCaller();
  await run.mautic.setDown(true);
  await assert.rejects(run.ask("GET", "/api/contacts"));
  await run.mautic.setDown(false);
  assert.equal((await run.ask("GET", "/api/contacts")).status, 200);
});

Deno.test("revokeTokens() makes every token unknown; a new one works", async () => {
  await using run = await startWithCaller();
  run.mautic.revokeTokens();
  const refused = await run.ask("GET", "/api/contacts");
  assert.equal(refused.status, 401);
  assert.equal(at(refused.body, "errors", 0, "type"), "invalid_grant");
  const ask = await callerOf(run.mautic);
  assert.equal((await ask("GET", "/api/contacts")).status, 200);
  assert.equal(run.mautic.tokensIssued(), 2);
});

Deno.test("setTokenLifetime() shortens the tokens issued from then on", async () => {
  await using run = await startWithCaller();
  run.mautic.setTokenLifetime(0);
  const ask = await callerOf(run.mautic);
  assert.equal((await ask("GET", "/api/contacts")).status, 401);
  assert.equal((await run.ask("GET", "/api/contacts")).status, 200);
});

Deno.test("rateLimit() counts per token: a fresh token starts a fresh bucket", async () => {
  await using run = await startWithCaller();
  run.mautic.rateLimit(1);
  assert.equal((await run.ask("GET", "/api/contacts")).headers.get("x-ratelimit-remaining"), "0");
  assert.equal((await run.ask("GET", "/api/contacts")).status, 429);
  const ask = await callerOf(run.mautic);
  assert.equal((await ask("GET", "/api/contacts")).status, 200);
});

Deno.test("the Bearer scheme needs its capital letter", async () => {
  await using run = await startWithCaller();
  const token = await fetch(`${run.mautic.url}/oauth/v2/token`, {
    method: "POST",
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: run.mautic.clientId,
      client_secret: run.mautic.clientSecret,
    }),
    headers: { "Content-Type": "application/json" },
  }).then((response) => response.json());
  const ask = async (scheme: string) => {
    const headers = { Authorization: `${scheme} ${token.access_token}` };
    const response = await fetch(`${run.mautic.url}/api/contacts`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assert.deepEqual([await ask("bearer"), await ask("Bearer")], [401, 200]);
});

Deno.test("Basic credentials are refused with 403 until an administrator allows them", async () => {
  await using run = await startWithCaller();
  const { username, password } = run.mautic.admin;
  const headers = { Authorization: `Basic ${btoa(`${username}:${password}`)}` };
  const ask = async (path: string, method: string) => {
    const response = await fetch(`${run.mautic.url}${path}`, { method, headers });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask("/api/contacts", "GET"), 403);
  assert.equal(await ask("/oauth/v2/token", "POST"), 403);
  run.mautic.settings.basicAuthEnabled = true;
  assert.equal(await ask("/api/contacts", "GET"), 200);
});
