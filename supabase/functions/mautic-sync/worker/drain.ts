import { startRun, type SyncContext } from "../outbound/run.ts";
import {
  type Batch,
  type BatchContext,
  claimBatch,
  giveBack,
  isFresh,
  sendBatch,
} from "./batch.ts";
import { spentBudget } from "./budget.ts";
import { itemLeaseMs, type Lease, whileRenewing } from "./lease.ts";

/** How often a lingering worker looks for what is due, in milliseconds: what a trickle of changes waits at most. */
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
   * successor goes on. halted: Mautic is in trouble. paused, open, not_live: nothing is
   * sent just now (migration "doorbell_sending"). lost: its lease. full: no place for it.
   */
  ended:
    | "idle"
    | "patience"
    | "budget"
    | "halted"
    | "paused"
    | "open"
    | "not_live"
    | "lost"
    | "full";
}

/**
 * Drains the outbox as one of a bounded number of workers, and leaves by the doorbell protocol
 * (migrations "doorbell_ring" and "worker_lease"): it lingers for changes that come without a ring,
 * and goes only when no writer can be between its look and its commit.
 *
 * @throws {DatabaseError} where the database fails
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
    }, (lost) => claimUntilDone({ ...context, run: startRun(settings) }, report, startedAt, lost));
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

/** Claims and sends batch after batch, until there is a reason to end. */
async function claimUntilDone(
  context: DrainContext & BatchContext,
  report: DrainReport,
  startedAt: number,
  lost: AbortSignal,
): Promise<DrainReport["ended"]> {
  const { database, settings, clock, workerId, run } = context;
  let colleagueCalled = settings.maxWorkers < 2;
  let successorCalled = settings.maxWorkers < 2;
  let idleSince: number | undefined;
  let next: Batch | undefined;
  let sendMs: number | undefined;
  // Of the batch before the one in hand.
  let settled = Promise.resolve();
  const spent = (inHand = 0) => spentBudget(context, { leads: report.leads + inHand, startedAt });

  try {
    while (!lost.aborted) {
      if (next && (!isFresh(next, clock) || spent() >= 1)) {
        await giveBack(next, context);
        next = undefined;
      }
      if (next === undefined) {
        await settled;
        if (spent() >= 1) return "budget";
      }
      if (spent() >= successorShare && !successorCalled && idleSince === undefined) {
        // While this one still works: a commit between the two would wait for pg_net's next tick.
        successorCalled = true;
        await database.ring(context.correlationId);
      }
      const batch = next ?? await claimBatch(context);
      next = undefined;
      const { claim } = batch;
      if (claim.state === "lost" || claim.state === "busy") return "lost";
      if (claim.state !== "claimed") return claim.state;

      if (claim.items.length > 0) {
        idleSince = undefined;
        if (claim.more && !colleagueCalled) {
          colleagueCalled = true;
          await database.ring(context.correlationId);
        }
        const ahead =
          claim.more && sendMs !== undefined && spent(claim.items.length) < successorShare
            ? { afterMs: sendMs, settled, lost }
            : undefined;
        const sent = await sendBatch({ ...batch, claim }, ahead, context);
        ({ sendMs, next } = sent);
        settled = inTurn(settled, sent.settle);
        report.leads += sent.leads;
        report.batches += 1;
        if (run.halt) return "halted";
        continue;
      }

      await settled;
      idleSince ??= clock.now();
      const idleMs = clock.now() - idleSince;
      if (idleMs < settings.lingerMs) {
        if (await lookFor(context, settings.lingerMs - idleMs, lost)) continue;
      }
      const left = await database.leaveWorker(workerId);
      if (left === "left") return "idle";
      // What is due and cannot be claimed (its person is held elsewhere), or a writer in a long
      // transaction: the sweep takes over.
      if (clock.now() - idleSince >= 2 * settings.lingerMs) return "patience";
      await clock.sleep(pollMs, lost);
    }
    return "lost";
  } finally {
    await inTurn(settled, async () => next && await giveBack(next, context));
  }
}

/** One batch is settled after the other, whatever becomes of that. */
function inTurn(before: Promise<void>, settle: () => Promise<void>): Promise<void> {
  const settled = before.finally(settle);
  // Told by whoever waits for it.
  settled.catch(() => {});
  return settled;
}

/** Looks until something is due (true) or `patienceMs` are over (false). */
async function lookFor(
  { database, clock }: DrainContext,
  patienceMs: number,
  lost: AbortSignal,
): Promise<boolean> {
  const until = clock.now() + patienceMs;
  while (clock.now() < until && !lost.aborted) {
    await clock.sleep(pollMs, lost);
    if (await database.hasWork()) return true;
  }
  return false;
}
