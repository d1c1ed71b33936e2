import assert from "node:assert/strict";
import { MauticError, type MauticErrorCode } from "shared/mautic/transport/errors.ts";
import {
  askedDelayMs,
  mayRetry,
  ownDelayMs,
  type RetryPolicy,
} from "shared/mautic/transport/retry.ts";

const now = Date.UTC(2026, 10, 23, 8, 0, 0);
const epoch = now / 1_000;

for (
  const [status, headers, expected] of [
    [429, {}, undefined],
    [429, { "Retry-After": "5" }, 5_000],
    [429, { "Retry-After": "0" }, 0],
    [429, { "Retry-After": "1.5" }, 1_500],
    [503, { "Retry-After": "Mon, 23 Nov 2026 08:00:30 GMT" }, 30_000],
    [503, { "Retry-After": "Mon, 23 Nov 2026 07:00:00 GMT" }, 0],
    [429, { "Retry-After": "soon" }, undefined],
    [429, { "Retry-After": "-5" }, undefined],
    [429, { "X-RateLimit-Reset": String(epoch + 90) }, 90_000],
    [429, { "X-RateLimit-Reset": String(epoch - 90) }, 0],
    [429, { "X-RateLimit-Reset": "never" }, undefined],
    [429, { "Retry-After": "2", "X-RateLimit-Reset": String(epoch + 90) }, 2_000],
    [429, { "Retry-After": "soon", "X-RateLimit-Reset": String(epoch + 90) }, 90_000],
    // Mautic sends the header with every answer; only with a 429 it is a pause.
    [500, { "X-RateLimit-Reset": String(epoch + 90) }, undefined],
    [404, { "Retry-After": "5" }, undefined],
  ] as const
) {
  Deno.test(`askedDelayMs() reads ${JSON.stringify(headers)} with ${status} as ${expected}`, () => {
    assert.equal(askedDelayMs(status, new Headers(Object.entries(headers)), now), expected);
  });
}

Deno.test("ownDelayMs() doubles and varies by 20 % either way", () => {
  assert.deepEqual([1, 2, 3].map((retry) => ownDelayMs(retry, 1_000, () => 0)), [
    800,
    1_600,
    3_200,
  ]);
  assert.deepEqual([1, 2, 3].map((retry) => ownDelayMs(retry, 1_000, () => 1)), [
    1_200,
    2_400,
    4_800,
  ]);
});

const policies: RetryPolicy[] = ["read", "save", "batch", "append", "fresh"];
for (
  const [code, status, expected] of [
    ["rate_limited", 429, "read save batch append"],
    ["unavailable", undefined, "read save batch append"],
    ["unavailable", 503, "read save batch append"],
    ["unavailable", 408, ""],
    ["server_failed", 500, "read save"],
    ["server_failed", 409, ""],
    ["ambiguous", undefined, ""],
    ["ambiguous", 504, ""],
    ["validation_failed", 400, ""],
    ["duplicate_contact", 422, ""],
    ["unauthorized", 401, ""],
    ["bad_answer", 200, ""],
    ["oauth_refused", 400, ""],
    ["lease_too_short", undefined, ""],
  ] satisfies [MauticErrorCode, number | undefined, string][]
) {
  Deno.test(`mayRetry() repeats ${code} (${status ?? "no answer"}) for: ${expected || "none"}`, () => {
    const error = new MauticError(code, "", { status });
    assert.equal(policies.filter((policy) => mayRetry(policy, error)).join(" "), expected);
  });
}
