import { createMauticClient } from "shared/mautic/client.ts";
import type { ActionContext } from "./connect.ts";
import { startRun, type SyncContext } from "./outbound/run.ts";
import { type Lease, outlasts } from "./worker/lease.ts";

/**
 * The Mautic client and the rest of what a sync needs, for one request. With a lease, no call to
 * Mautic starts that the lease does not outlast.
 */
export function connectMautic(context: ActionContext, lease?: Lease): SyncContext {
  const { settings, database, tokens, fetch, clock, random, log, answers } = context;
  const mautic = createMauticClient({
    baseUrl: settings.baseUrl,
    tokens,
    fetch,
    clock,
    random,
    requestTimeoutMs: settings.requestTimeoutMs,
    retry: settings.retry,
    log,
    correlationId: answers.correlationId,
    ...(lease
      ? { mayStart: (timeoutMs: number) => outlasts(lease, timeoutMs, settings, clock) }
      : {}),
  });
  return { mautic, database, settings, clock, random, log, run: startRun(settings) };
}
