import { tally } from "shared/runtime/tally.ts";
import { outcome } from "../outbound/outcome.ts";
import { startRun, type SyncContext } from "../outbound/run.ts";
import { syncLeads } from "../outbound/sync_leads.ts";
import { spentBudget } from "./budget.ts";
import { itemLeaseMs, type Lease, whileRenewing } from "./lease.ts";
import { settleSurely } from "./settle.ts";

/** How often a lingering worker looks for work, in milliseconds: what a trickle of changes waits at most. */
const pollMs = 50;

/** From this share of its budget on, a worker that is busy has a successor started. */
const successorShare = 0.9;

export interface DrainContext extends Omit<SyncContext, "run"> {
  workerId: string;
  correlationId: string;
  lease: Lease;
  /** Requests made since this worker began, other work of the process included. */
  requestCount: () => number;
}

export interface DrainReport {
  started: boolean;
  leads: number;
  batches: number;
  requests: number;
  /**
   * Why the worker went. idle: nothing left. patience: what is left is held elsewhere. budget: a
   * successor goes on. halted: Mautic is in trouble. paused, open: nothing is sent just now
   * (migration "doorbell_sending"). lost: its lease. full: no place for it.
   */
  ended: "idle" | "patience" | "budget" | "halted" | "paused" | "open" | "lost" | "full";
}

/**
 * Drains the outbox as one of a bounded number of workers, and leaves by the doorbell protocol
 * (migrations "doorbell" and "worker"): it lingers for changes that come without a ring, and goes only when no
 * writer can be between its look and its commit. Errors: DatabaseError.
 */
export async function drain(context: DrainContext): Promise<DrainReport> {
  const { database, settings, clock, workerId, log } = context;
  const startedAt = clock.now();
  const report: DrainReport = { started: false, leads: 0, batches: 0, requests: 0, ended: "full" };
  if (!await database.startWorker(workerId, settings.maxWorkers, settings.workerLeaseMs)) {
    return report;
  }
  report.started = true;

  try {
    report.ended = await whileRenewing({
      ...context,
      everyMs: settings.workerLeaseMs / 3,
      renew: () => database.renewWorker(workerId, settings.workerLeaseMs, itemLeaseMs(settings)),
    }, (lost) => work({ ...context, run: startRun(settings) }, report, startedAt, lost));
  } finally {
    // Also when something was raised: a lease that outlives its worker silences the bell.
    if (report.ended !== "idle") await abandon(context);
  }
  // The last look, after the lease is gone: whoever wrote before saw a live worker and did not ring.
  const left = report.ended === "budget"
    ? await database.hasWork()
    : report.ended === "patience" && await database.hasChanges();
  if (left) await database.ring(context.correlationId);
  report.requests = context.requestCount();
  log.info("drained", { ...report, durationMs: clock.now() - startedAt });
  return report;
}

/** A failure here must not hide the one that led here; the lease runs out by itself. */
async function abandon({ database, workerId, log }: DrainContext): Promise<void> {
  try {
    await database.abandonWorker(workerId);
  } catch (error) {
    log.warn("abandon_failed", { workerId, error });
  }
}

async function work(
  context: DrainContext & SyncContext,
  report: DrainReport,
  startedAt: number,
  stopped: AbortSignal,
): Promise<DrainReport["ended"]> {
  const { database, settings, clock, workerId, run } = context;
  const origin = settings.baseUrl;
  let colleagueCalled = settings.maxWorkers < 2;
  let successorCalled = settings.maxWorkers < 2;
  let idleSince: number | undefined;

  while (!stopped.aborted) {
    const spent = spentBudget(context, report, startedAt);
    if (spent >= 1) return "budget";
    if (spent >= successorShare && !successorCalled && idleSince === undefined) {
      // While this one still works: a commit between the two would wait for pg_net's next tick.
      successorCalled = true;
      await database.ring(context.correlationId);
    }
    const claimedAt = clock.now();
    const claim = await database.claim(workerId, origin, run.batchSize, itemLeaseMs(settings));
    if (claim.state === "paused" || claim.state === "open") return claim.state;
    if (claim.state !== "claimed") return "lost";
    run.batchSize = claim.batch_size ?? run.batchSize;
    context.lease.until = claimedAt + itemLeaseMs(settings);

    if (claim.items.length > 0 && claim.lease_token) {
      idleSince = undefined;
      if (claim.more && !colleagueCalled) {
        colleagueCalled = true;
        await database.ring(context.correlationId);
      }
      const synced = await syncLeads(claim.items, context);
      const outcomes = synced.map(({ work }) => outcome(work, context.log));
      await settleSurely(origin, claim.lease_token, outcomes, context, run.batchSize);
      report.leads += synced.length;
      report.batches += 1;
      context.log.info("batch_settled", {
        ...tally(outcomes.map(({ result }) => result)),
        batchSize: synced.length,
        durationMs: clock.now() - claimedAt,
      });
      if (run.halt) return "halted";
      continue;
    }

    idleSince ??= clock.now();
    const idleMs = clock.now() - idleSince;
    if (idleMs < settings.lingerMs) {
      if (await lookFor(context, settings.lingerMs - idleMs, stopped)) continue;
    }
    const left = await database.leaveWorker(workerId);
    if (left === "left") return "idle";
    // Work that cannot be claimed (its person is held elsewhere), or a writer in a long
    // transaction: the sweep takes over.
    if (clock.now() - idleSince >= 2 * settings.lingerMs) return "patience";
    await clock.sleep(pollMs, stopped);
  }
  return "lost";
}

/** Looks until there is work (true) or `patienceMs` are over (false). */
async function lookFor(
  { database, clock }: DrainContext,
  patienceMs: number,
  stopped: AbortSignal,
): Promise<boolean> {
  const until = clock.now() + patienceMs;
  while (clock.now() < until && !stopped.aborted) {
    await clock.sleep(pollMs, stopped);
    if (await database.hasWork()) return true;
  }
  return false;
}
