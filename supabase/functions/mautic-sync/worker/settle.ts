import { DatabaseError } from "shared/database/call.ts";
import type { Database } from "shared/database/database.ts";
import type { Outcome } from "shared/database/outcome.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { Run } from "../outbound/run.ts";

const pausesMs = [200, 1_000, 3_000];

/**
 * Settles, and tries again when the database could not be reached: what is lost here would be
 * looked up and sent once more after the lease. Settling twice is harmless, the second finds the
 * lease gone.
 *
 * @throws {DatabaseError} after the last try
 */
export async function settleSurely(
  origin: string,
  leaseToken: string,
  outcomes: Outcome[],
  { database, clock, log, run }: { database: Database; clock: Clock; log: Log; run: Run },
  /** What was learned of the size of batches, for the next worker; null: nothing. */
  batchSize: number | null,
): Promise<void> {
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      const { lost } = await database.settle(origin, leaseToken, outcomes, {
        halted: run.halt?.code ?? null,
        answered: run.answered,
        batchSize,
      });
      if (lost.length > 0) log.warn("lease_lost", { leads: lost.length });
      return;
    } catch (error) {
      if (pauseMs === undefined || !(error instanceof DatabaseError)) throw error;
      log.warn("settle_failed", { code: error.code, retryMs: pauseMs });
      await clock.sleep(pauseMs);
    }
  }
}
