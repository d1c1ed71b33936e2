import fc from "fast-check";
import assert from "node:assert/strict";
import { describeError, errorDescriptions } from "shared/errors/codes.ts";
import { messageOf } from "shared/errors/message.ts";
import { correlationIdOf, startAnswers } from "shared/http/answer.ts";
import { isAcceptedSecret, sameSecret } from "shared/http/secrets.ts";

function answersTo(headers: Record<string, string> = {}) {
  let now = 1_000;
  return startAnswers(new Request("http://x.test", { headers }), {
    now: () => (now += 21),
    newId: () => "new-id",
  });
}

Deno.test("an answer carries data, correlation id and duration", async () => {
  const response = answersTo({ "x-correlation-id": "trace-1" }).ok({ success: true });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("X-Correlation-ID"), "trace-1");
  assert.deepEqual(await response.json(), {
    ok: true,
    data: { success: true },
    correlationId: "trace-1",
    durationMs: 21,
  });
});

Deno.test("a failure carries code, message, remedy and details, and the status of its code", async () => {
  const response = answersTo().fail("invalid_body", "for ann@example.test", {
    details: [{ path: "action", message: "missing" }],
    headers: { Allow: "POST" },
  });
  assert.equal(response.status, 400);
  assert.equal(response.headers.get("Allow"), "POST");
  const { error, ...rest } = await response.json();
  assert.deepEqual(rest, { ok: false, correlationId: "new-id", durationMs: 21 });
  assert.equal(error.message, "for a***@e***.test");
  assert.deepEqual(error.details, [{ path: "action", message: "missing" }]);
});

Deno.test("a correlation id of the caller is kept only where it is fit for logs and headers", () => {
  for (const good of ["a", "550e8400-e29b-41d4-a716-446655440000", "x".repeat(128), "a.b:c_d"]) {
    assert.equal(correlationIdOf(` ${good} `, () => "new"), good);
  }
  for (const bad of [null, "", " ", "x".repeat(129), "a b", "<script>", "ä", "-a"]) {
    assert.equal(correlationIdOf(bad, () => "new"), "new");
  }
});

Deno.test("every error code has a status and a remedy, unknown ones that of internal", () => {
  for (const { status, remedy } of Object.values(errorDescriptions)) {
    assert.ok(status >= 400 && status < 600 && remedy.length > 0);
  }
  assert.equal(describeError("toString").status, 500);
});

Deno.test("messageOf() is total and gives one line without a stack", () => {
  assert.equal(messageOf(new TypeError("a\n  b")), "a b");
  assert.equal(
    messageOf({
      toString: () => {
        throw new Error();
      },
    }),
    "an error without a message",
  );
  fc.assert(fc.property(fc.anything(), (value) => assert.ok(messageOf(value).length <= 300)));
});

Deno.test("sameSecret() tells equal from different, whatever the lengths", async () => {
  assert.ok(await sameSecret("secret", "secret"));
  assert.ok(await sameSecret("é", new TextEncoder().encode("é")));
  for (const other of ["", "secre", "secret ", "Secret", "x".repeat(1_000)]) {
    assert.ok(!await sameSecret(other, "secret"));
  }
  assert.ok(await isAcceptedSecret("b", ["a", "b"]));
  assert.ok(!await isAcceptedSecret("b", []));
});
