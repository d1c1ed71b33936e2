import assert from "node:assert/strict";
import { MauticError, type MauticErrorCode } from "shared/mautic/transport/errors.ts";
import { maxAnswerBytes } from "shared/mautic/transport/transport.ts";
import { answer, client, refusingUrl, serve, serveRaw, testClock } from "./support.ts";

/** The error a call ends with. */
async function failure(call: Promise<unknown>): Promise<MauticError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof MauticError, String(error));
    return error;
  }
  throw new Error("the call succeeded");
}

const html = (status: number, headers: Record<string, string> = {}) =>
  new Response("<html>", { status, headers: { "Content-Type": "text/html", ...headers } });
const serverError = () => answer("batch-new-null-item");
const contact = { email: "ann@example.test" };

Deno.test("a 500 is tried again after 1, 2 and 4 seconds where that is safe", async () => {
  await using server = serve((index) => index < 3 ? serverError() : answer("contact-new"));
  const { mautic, clock } = client(server.url);
  await mautic.createContact(contact);
  assert.deepEqual(clock.pauses, [1_000, 2_000, 4_000]);
});

Deno.test("after three retries the error goes out", async () => {
  await using server = serve(serverError);
  const error = await failure(client(server.url).mautic.getContact(1));
  assert.equal(error.code, "server_failed");
  assert.equal(server.requests.length, 4);
});

Deno.test("a 500 is not repeated for batches, additions and do-not-contact", async () => {
  await using server = serve(serverError);
  const { mautic, clock } = client(server.url);
  for (
    const call of [
      () => mautic.batchNew([contact]),
      () => mautic.batchEdit([{ id: 1 }]),
      () => mautic.addToCampaign(1, 1),
      () => mautic.addUtm(1, {}),
      () => mautic.addDoNotContact(1, { reason: 3, comments: "" }),
      () => mautic.removeDoNotContact(1),
    ]
  ) {
    assert.equal((await failure(call())).code, "server_failed");
  }
  assert.deepEqual(clock.pauses, []);
  assert.equal(server.requests.length, 6);
});

Deno.test("an opt-out that is put back is tried again", async () => {
  await using server = serve((index) => index === 0 ? serverError() : answer("dnc-add-email"));
  await client(server.url).mautic.addDoNotContact(1, { reason: 1, comments: "restored" });
  assert.equal(server.requests.length, 2);
});

Deno.test("502 and 504 are ambiguous for a change and not repeated", async () => {
  for (const status of [502, 504, 520]) {
    await using server = serve(() => html(status));
    const { mautic } = client(server.url);
    for (const call of [() => mautic.createContact(contact), () => mautic.editContact(1, {})]) {
      const error = await failure(call());
      assert.equal(error.code, "ambiguous");
      assert.ok(error.ambiguous && error.retryable);
    }
    assert.equal(server.requests.length, 2);
  }
});

Deno.test("a read is tried again whatever the trouble, and is never ambiguous", async () => {
  const troubles = [() => html(502), () => html(504), () => html(503), serverError];
  for (const trouble of troubles) {
    await using server = serve((index) => index < 2 ? trouble() : answer("contact-get"));
    await client(server.url).mautic.getContact(1);
    assert.equal(server.requests.length, 3);
  }
  await using server = serve(() => html(504));
  const error = await failure(client(server.url).mautic.getContact(1));
  assert.equal(error.code, "unavailable");
  assert.ok(!error.ambiguous);
});

Deno.test("503 surely changed nothing: any call is tried again", async () => {
  await using server = serve((index) =>
    index === 0 ? html(503, { "Retry-After": "3" }) : answer("campaign-add-contact")
  );
  const { mautic, clock } = client(server.url);
  await mautic.addToCampaign(1, 1);
  assert.deepEqual(clock.pauses, [3_000]);
});

Deno.test("429 is waited out for as long as X-RateLimit-Reset says", async () => {
  const reset = String(testClock().now() / 1_000 + 7);
  await using server = serve((index) =>
    index === 0
      ? new Response(answer("rate-limit-4").body, {
        status: 429,
        headers: { "Content-Type": "application/json", "X-RateLimit-Reset": reset },
      })
      : answer("batch-new-first-invalid")
  );
  const limited = client(server.url);
  await limited.mautic.batchNew([contact]);
  assert.deepEqual(limited.clock.pauses, [7_000]);
});

Deno.test("a server that asks for more than ten seconds is left to the outbox", async () => {
  await using server = serve(() => html(429, { "Retry-After": "3600" }));
  const { mautic, clock } = client(server.url);
  const error = await failure(mautic.createContact(contact));
  assert.equal(error.code, "rate_limited");
  assert.equal(error.retryAfterMs, 3_600_000);
  assert.deepEqual(clock.pauses, []);
});

Deno.test("a refused connection changed nothing: any call is tried again", async () => {
  const { mautic, clock } = client(refusingUrl());
  const error = await failure(mautic.batchNew([contact]));
  assert.equal(error.code, "unavailable");
  assert.ok(error.retryable && !error.ambiguous);
  assert.deepEqual(clock.pauses, [1_000, 2_000, 4_000]);
});

Deno.test("an unknown host is refused likewise", async () => {
  const error = await failure(client("http://mautic.invalid").mautic.addUtm(1, {}));
  assert.equal(error.code, "unavailable");
});

for (
  const [where, reply] of [
    ["before the answer", ""],
    [
      "in the middle of the answer",
      'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"con',
    ],
  ] as const
) {
  Deno.test(`a connection cut ${where} is ambiguous for a change and repeated for a read`, async () => {
    await using server = serveRaw(reply);
    const { mautic } = client(server.url);
    const error = await failure(mautic.createContact(contact));
    assert.equal(error.code, "ambiguous");
    assert.equal(server.counter.requests, 1);
    assert.equal((await failure(mautic.getContact(1))).code, "unavailable");
    assert.equal(server.counter.requests, 5);
  });
}

Deno.test("a change is not sent twice when a kept-alive connection is cut", async () => {
  // Deno 2.9 repeats a request on a new connection by itself where it still has the body.
  const good = await answer("contact-new").text();
  const head = `HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n`;
  await using server = serveRaw(
    `${head}Content-Length: ${new TextEncoder().encode(good).length}\r\n\r\n${good}`,
    { answersPerConnection: 1 },
  );
  const { mautic } = client(server.url);
  for (const call of [() => mautic.createContact(contact), () => mautic.addToCampaign(1, 1)]) {
    await mautic.createContact(contact);
    const before = server.counter.requests;
    assert.equal((await failure(call())).code, "ambiguous");
    assert.equal(server.counter.requests, before + 1);
  }
});

Deno.test("a timeout is ambiguous for a change; it covers the answer's body", async () => {
  for (const early of [true, false]) {
    const arrived = Promise.withResolvers<void>();
    const release = new AbortController();
    await using server = serve(async () => {
      if (early) return new Response(stalling(arrived.resolve), jsonType);
      arrived.resolve();
      await new Promise((resolve) => release.signal.addEventListener("abort", resolve));
      return answer("contact-new");
    });
    const { mautic, clock } = client(server.url);
    const call = failure(mautic.createContact(contact));
    await arrived.promise;
    clock.expire();
    const error = await call;
    release.abort();
    assert.equal(error.code, "ambiguous");
    assert.match(error.message, /30000 ms/);
    assert.equal(server.requests.length, 1);
  }
});

const jsonType = { headers: { "Content-Type": "application/json" } };

/** A body that starts and never goes on. */
function stalling(started: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"contact":'));
      started();
    },
  });
}

Deno.test("an endless answer is given up at its limit", async () => {
  const chunk = new TextEncoder().encode(" ".repeat(64 * 1024));
  let sent = 0;
  await using server = serve(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += chunk.length;
          controller.enqueue(chunk);
        },
      }),
      jsonType,
    )
  );
  const error = await failure(client(server.url).mautic.getContact(1));
  assert.equal(error.code, "bad_answer");
  assert.match(error.message, /MAUTIC_BASE_URL/);
  assert.ok(sent < 4 * maxAnswerBytes);
  assert.equal(server.requests.length, 1);
});

Deno.test("a redirect is not followed; the error names the address to set", async () => {
  await using target = serve(() => answer("contact-new"));
  for (const status of [301, 302, 307, 308]) {
    await using server = serve((_, request) =>
      new Response(null, {
        status,
        headers: { Location: `${target.url}/crm${new URL(request.url).pathname}` },
      })
    );
    const error = await failure(client(server.url).mautic.createContact(contact));
    assert.equal(error.code, "bad_answer");
    assert.ok(error.message.includes(`${target.url}/crm: set MAUTIC_BASE_URL`), error.message);
    assert.ok(!error.ambiguous);
  }
  assert.equal(target.requests.length, 0);
});

for (
  const [what, reply, code, ambiguous] of [
    ["a page instead of JSON", () => html(200), "bad_answer", true],
    ["JSON that is broken", () => new Response('{"a', jsonType), "bad_answer", true],
    ["JSON of another kind", () => Response.json([1, 2]), "bad_answer", true],
    ["an empty contact", () => Response.json({ contact: {} }), "bad_answer", true],
    ["a page not found", () => html(404), "bad_answer", false],
    ["a method not allowed", () => html(405), "bad_answer", false],
    ["a firewall's refusal", () => html(403), "server_failed", false],
    ["a body too large for a proxy", () => html(413), "server_failed", false],
    [
      "a lock",
      () => Response.json({ errors: [{ code: 409, message: "locked" }] }, { status: 409 }),
      "server_failed",
      false,
    ],
  ] satisfies [string, () => Response, MauticErrorCode, boolean][]
) {
  Deno.test(`${what} is ${code} and not repeated`, async () => {
    await using server = serve(reply);
    const error = await failure(client(server.url).mautic.editContact(1, {}));
    assert.equal(error.code, code);
    assert.equal(error.ambiguous, ambiguous);
    assert.equal(server.requests.length, 1);
  });
}

Deno.test("a 401 drops the token and is tried once with a new one", async () => {
  await using server = serve((index) => answer(index === 0 ? "api-bad-bearer" : "contact-new"));
  const { mautic, dropped, clock } = client(server.url);
  await mautic.createContact(contact);
  assert.deepEqual(dropped, ["token-1"]);
  assert.deepEqual(server.requests.map(({ headers }) => headers.get("Authorization")), [
    "Bearer token-1",
    "Bearer token-2",
  ]);
  assert.deepEqual(clock.pauses, []);
});

Deno.test("a 401 with a fresh token is an error that says what to look at", async () => {
  await using server = serve(() => answer("api-bad-bearer"));
  const error = await failure(client(server.url).mautic.removeDoNotContact(1));
  assert.equal(error.code, "unauthorized");
  assert.match(error.message, /Authorization header/);
  assert.equal(server.requests.length, 2);
});

Deno.test("nothing is sent when the lease would not outlast it", async () => {
  await using server = serve(() => answer("contact-new"));
  const { mautic } = client(server.url, { mayStart: (timeoutMs) => timeoutMs < 30_000 });
  const error = await failure(mautic.createContact(contact));
  assert.equal(error.code, "lease_too_short");
  assert.ok(error.retryable && !error.ambiguous);
  assert.equal(server.requests.length, 0);
});

Deno.test("a retry the lease would not outlast is left out; the error is the first one", async () => {
  await using server = serve(serverError);
  let tries = 0;
  const { mautic } = client(server.url, { mayStart: () => ++tries === 1 });
  assert.equal((await failure(mautic.createContact(contact))).code, "server_failed");
  assert.equal(server.requests.length, 1);
});

Deno.test("no error shows an address or a token", async () => {
  await using server = serve(() =>
    Response.json({
      errors: [{
        code: 400,
        message: "email: ann@example.test is invalid.",
        details: { email: ["ann@example.test is invalid."] },
      }],
    }, { status: 400 })
  );
  const error = await failure(client(server.url).mautic.createContact(contact));
  assert.match(error.message, /a\*\*\*@e\*\*\*\.test is invalid/);
  assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /ann@|token-1/);
});
