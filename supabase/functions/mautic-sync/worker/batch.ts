import type { Claim } from "shared/database/queue.ts";
import type { Clock } from "shared/runtime/clock.ts";
import { tally } from "shared/runtime/tally.ts";
import { outcome } from "../outbound/outcome.ts";
import type { SyncContext } from "../outbound/run.ts";
import { syncLeads } from "../outbound/sync_leads.ts";
import { itemLeaseMs, type Lease } from "./lease.ts";
import { saidBy, settleSurely } from "./settle.ts";

export interface BatchContext extends SyncContext {
  workerId: string;
  lease: Lease;
}

/** What a claim was answered; `claimedAt` and `claimMs`: when it was asked for, and how long that took. */
export interface Batch {
  claim: Claim;
  claimedAt: number;
  claimMs: number;
}

/**
 * For how long what was claimed ahead is as good as claimed just now, in milliseconds: what a person
 * says after that (no more mails, a pause) is not to be overtaken by what was read before.
 */
const freshMs = 1_000;

export function isFresh({ claimedAt }: Batch, clock: Clock): boolean {
  return clock.now() - claimedAt <= freshMs;
}

type Claimed = Extract<Claim, { state: "claimed" }>;

export async function claimBatch(
  { database, settings, clock, workerId, run }: BatchContext,
): Promise<Batch> {
  const claimedAt = clock.now();
  const asked = run.batchSize;
  const claim = await database.claim(workerId, settings.baseUrl, asked, itemLeaseMs(settings));
  if (claim.state === "claimed" && claim.batch_size !== undefined && claim.batch_size < asked) {
    run.batchSize = Math.min(run.batchSize, claim.batch_size);
  }
  return { claim, claimedAt, claimMs: clock.now() - claimedAt };
}

/**
 * Sends a batch. Returns how many leads it held, how long they took and what settles them; and the
 * batch that was claimed meanwhile, if one was to be.
 */
export async function sendBatch(
  batch: Batch & { claim: Claimed },
  ahead: { afterMs: number; settled: Promise<void>; lost: AbortSignal } | undefined,
  context: BatchContext,
): Promise<
  { leads: number; sendMs: number; settle: () => Promise<void>; next: Batch | undefined }
> {
  const { settings, clock, log, run, lease } = context;
  const { claim, claimedAt, claimMs } = batch;
  const sent = new AbortController();
  const next = ahead && claimAhead(batch, ahead, sent.signal, context);
  // Since before the claim, whose answer may come when the lease has run for a while; or since it was renewed.
  const leasedAt = lease.renewedAt > claimedAt + claimMs ? lease.renewedAt : claimedAt;
  lease.until = leasedAt + itemLeaseMs(settings);
  const sentAt = clock.now();
  const synced = await syncLeads(claim, context);
  const sendMs = clock.now() - sentAt;
  sent.abort();
  const outcomes = synced.map(({ work, enrollment }) => outcome(work, log, enrollment));
  const said = saidBy(run, run.batchSize);
  const settle = async () => {
    await settleSurely(settings.baseUrl, claim.lease_token, outcomes, said, context);
    log.info("batch_settled", {
      ...tally(outcomes.map(({ result }) => result)),
      batchSize: synced.length,
      durationMs: clock.now() - claimedAt,
    });
  };
  return { leads: synced.length, sendMs, settle, next: await next };
}

/**
 * Claims the next batch shortly before the one in hand is sent (which takes `afterMs` as far as can be
 * told): Mautic need not wait for our database, and whoever is due by then is in it. Not before the
 * one before is `settled`, whose learning it goes by. Nothing where that fails: the claim that
 * follows tells.
 */
async function claimAhead(
  { claimMs }: Batch,
  { afterMs, settled, lost }: { afterMs: number; settled: Promise<void>; lost: AbortSignal },
  sent: AbortSignal,
  context: BatchContext,
): Promise<Batch | undefined> {
  const { clock, log } = context;
  // Twice as long as it took: the database may be busier.
  const needsMs = Math.min(2 * claimMs, freshMs / 2);
  await clock.sleep(Math.max(0, afterMs - needsMs), AbortSignal.any([sent, lost]));
  try {
    await settled;
    return lost.aborted ? undefined : await claimBatch(context);
  } catch (error) {
    log.warn("claim_ahead_failed", { error });
    return undefined;
  }
}

/** Puts a batch back that was claimed ahead and is not sent. Where that fails its lease runs out. */
export async function giveBack({ claim }: Batch, context: BatchContext): Promise<void> {
  if (claim.state !== "claimed" || claim.items.length === 0) return;
  const { database, log } = context;
  try {
    await database.giveBack(claim.lease_token);
  } catch (error) {
    log.warn("give_back_failed", { error });
  }
}
