const firstMs = 5_000;
const longestMs = 15 * 60_000;

/**
 * How long an outbox item waits after its `attempt`-th failure, in milliseconds: 5 s, 10 s, 20 s …
 * up to 15 min, ±20 % so that a batch which failed together does not come back together. A delay
 * the server asked for is kept as it is when it is longer.
 */
export function backoff(attempt: number, random: () => number, askedMs = 0): number {
  const delay = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 20));
  return Math.max(Math.round(delay * (0.8 + 0.4 * random())), askedMs);
}
