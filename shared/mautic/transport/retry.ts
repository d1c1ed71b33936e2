import type { Clock } from "shared/runtime/clock.ts";
import type { RetrySettings } from "shared/settings/sync.ts";
import { MauticError } from "./errors.ts";

/**
 * What may be sent again within a request:
 * - `read`: changes nothing, so any passing trouble may be tried again.
 * - `save`: one contact, matched by address or id. Not while an earlier try may still be running.
 * - `batch`: as `save`, but a 500 is the caller's to deal with (it splits the batch).
 * - `append`: adds something each time. Only where it surely was not processed.
 * - `fresh`: rests on something read a moment ago, which a pause would make stale: never.
 */
export type RetryPolicy = "read" | "save" | "batch" | "append" | "fresh";

/** May a call that failed with `error` be sent again? Never on a 4xx other than 429. */
export function mayRetry(policy: RetryPolicy, error: MauticError): boolean {
  const { status } = error;
  if (!error.retryable || error.ambiguous || policy === "fresh") return false;
  if (status !== undefined && status < 500 && status !== 429) return false;
  if (error.code === "rate_limited" || error.code === "unavailable") return true;
  return error.code === "server_failed" && (policy === "read" || policy === "save");
}

/** Mautic counts calls by the hour. A longer pause, or one beyond all calendars, is a mistake. */
const longestAskedMs = 3_600_000;

/**
 * The pause a server asks for, in milliseconds, an hour at most: `Retry-After` (seconds or a date), else on 429
 * `X-RateLimit-Reset` (epoch seconds; on other answers Mautic sends it just for information).
 * Undefined: it asks for none.
 */
export function askedDelayMs(status: number, headers: Headers, now: number): number | undefined {
  const asked = readDelayMs(status, headers, now);
  return asked === undefined ? undefined : Math.min(asked, longestAskedMs);
}

function readDelayMs(status: number, headers: Headers, now: number): number | undefined {
  const retryAfter = headers.get("Retry-After")?.trim();
  if (retryAfter && (status === 429 || status >= 500)) {
    if (/^\d+(\.\d+)?$/.test(retryAfter)) return Math.round(Number(retryAfter) * 1_000);
    // A date has a month's name; Date.parse would read "-5" as one, too.
    const date = /[a-z]{3}/i.test(retryAfter) ? Date.parse(retryAfter) : NaN;
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  const reset = headers.get("X-RateLimit-Reset")?.trim();
  if (status === 429 && reset && /^\d{1,12}$/.test(reset)) {
    return Math.max(0, Number(reset) * 1_000 - now);
  }
  return undefined;
}

/** Our own pause before the `retry`-th retry (from 1): 1, 2, 4 s by default, ±20 %. */
export function ownDelayMs(retry: number, delayMs: number, random: () => number): number {
  return Math.round(delayMs * 2 ** (retry - 1) * (0.8 + 0.4 * random()));
}

export interface RetryOptions {
  settings: RetrySettings;
  clock: Clock;
  random: () => number;
  mayRetry(error: MauticError): boolean;
  /** Told before each pause. */
  onRetry(retry: number, delayMs: number, error: MauticError): void;
}

/**
 * Calls `attempt` (with 0, 1, 2 …) until it succeeds or may not be repeated. A pause the server
 * asks for is kept to the millisecond; one longer than `maxServerDelayMs` is not waited for here:
 * the error goes out with its `retryAfterMs`, and the outbox waits.
 */
export async function withRetries<T>(
  attempt: (retry: number) => Promise<T>,
  { settings, clock, random, mayRetry, onRetry }: RetryOptions,
): Promise<T> {
  let before: MauticError | undefined;
  let mayBeDone = false;
  for (let retry = 0;; retry++) {
    try {
      return await attempt(retry);
    } catch (error) {
      // Our own database failed between the tries: what may be in Mautic already matters more.
      if (!(error instanceof MauticError)) throw mayBeDone && before ? before : error;
      mayBeDone ||= error.code === "server_failed";
      error.mayBeDone = mayBeDone;
      // No time for another try: what went wrong before says more.
      if (error.code === "lease_too_short" && before) {
        before.mayBeDone = mayBeDone;
        throw before;
      }
      if (retry >= settings.retries || !mayRetry(error)) throw error;
      const delayMs = error.retryAfterMs ?? ownDelayMs(retry + 1, settings.delayMs, random);
      if (error.retryAfterMs !== undefined && delayMs > settings.maxServerDelayMs) throw error;
      before = error;
      onRetry(retry + 1, delayMs, error);
      await clock.sleep(delayMs);
    }
  }
}
