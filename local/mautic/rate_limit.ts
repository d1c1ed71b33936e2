/**
 * The hourly limit per access token, off by default. There is no `Retry-After` (recorded:
 * rate-limit-4; docs/mautic.md, "Errors").
 */
import { failure } from "./answers.ts";
import type { Mautic } from "./mautic.ts";
import type { Answer } from "./types.ts";

export interface RateLimiter {
  /** Counts one call: the headers to add, and the refusal once the bucket is empty. */
  count(bucket: string): { headers: Record<string, string>; refusal: Answer | null };
}

export function createRateLimiter({ settings, clock }: Mautic): RateLimiter {
  const buckets = new Map<string, { calls: number; resetAt: number }>();
  return {
    count(bucket) {
      const limit = settings.rateLimit;
      if (limit <= 0) return { headers: {}, refusal: null };
      const now = clock.now();
      let entry = buckets.get(bucket);
      if (!entry || entry.resetAt <= now) {
        entry = { calls: 0, resetAt: now + settings.rateLimitWindowSeconds * 1000 };
        buckets.set(bucket, entry);
      }
      entry.calls++;
      const headers = {
        "X-RateLimit-Limit": String(limit),
        "X-RateLimit-Remaining": String(Math.max(0, limit - entry.calls)),
        "X-RateLimit-Reset": String(Math.floor(entry.resetAt / 1000)),
      };
      const message = `You exceeded the rate limit of ${limit} API calls per hour.`;
      return { headers, refusal: entry.calls > limit ? failure(429, message) : null };
    },
  };
}
