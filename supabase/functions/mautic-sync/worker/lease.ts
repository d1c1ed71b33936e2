import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

/**
 * How long an item's lease lasts, in milliseconds: a request, the server's own time for it, and as
 * much as several renewals may come late without stopping a request (they come every third of a
 * worker's lease).
 */
export function itemLeaseMs(settings: SyncSettings): number {
  const slackMs = 1.5 * settings.workerLeaseMs;
  return Math.ceil(settings.requestTimeoutMs + settings.serverTimeLimitMs + slackMs);
}

/**
 * Until when (ms since the epoch) the items in hand are surely our own. Written by whoever leases
 * or renews, read before every request: none may start that the lease does not outlast.
 */
export interface Lease {
  until: number;
  /** When the renewal was asked for that was given last; -Infinity: none. */
  renewedAt: number;
}

/** May a request start that takes up to `timeoutMs`, and then the server's own time limit? */
export function outlasts(
  lease: Pick<Lease, "until">,
  timeoutMs: number,
  settings: SyncSettings,
  clock: Clock,
): boolean {
  return lease.until - clock.now() >= timeoutMs + settings.serverTimeLimitMs;
}

/**
 * Renews a lease again and again while `task` goes on. `renew` says whether the lease was still
 * there; when it was not, the signal given to `task` aborts. A renewal that fails is tried again:
 * if none gets through, the lease runs out and {@link outlasts} stops every request.
 */
export async function whileRenewing<T>(
  { lease, everyMs, settings, clock, log, renew }: {
    lease: Lease;
    everyMs: number;
    settings: SyncSettings;
    clock: Clock;
    log: Log;
    renew: () => Promise<boolean>;
  },
  task: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const lost = new AbortController();
  const renewing = (async () => {
    while (true) {
      await clock.sleep(everyMs, done.signal);
      if (done.signal.aborted) return;
      const renewedAt = clock.now();
      try {
        if (!await renew()) {
          log.warn("lease_lost");
          return lost.abort();
        }
        lease.renewedAt = renewedAt;
        lease.until = renewedAt + itemLeaseMs(settings);
      } catch (error) {
        log.warn("renewal_failed", { error });
      }
    }
  })();
  try {
    return await task(lost.signal);
  } finally {
    done.abort();
    await renewing;
  }
}
