import { DatabaseError } from "shared/database/call.ts";
import type { Database } from "shared/database/database.ts";
import type { Outcome } from "shared/database/outcome.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { Run } from "../outbound/run.ts";

const pausesMs = [200, 1_000, 3_000];

/** What a batch says of Mautic, for the circuit breaker and the next worker. */
export interface SaidOfMautic {
  /** The code that brought the run to a halt. */
  halted: string | null;
  answered: boolean;
  /** What was learned of the size of batches; null: nothing. */
  batchSize: number | null;
}

/** What a run says of Mautic by now. */
export function saidBy({ halt, answered }: Run, batchSize: number | null): SaidOfMautic {
  return { halted: halt?.code ?? null, answered, batchSize };
}

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
  said: SaidOfMautic,
  { database, clock, log }: { database: Database; clock: Clock; log: Log },
): Promise<void> {
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      const { lost } = await database.settle(origin, leaseToken, outcomes, said);
      if (lost.length > 0) log.warn("lease_lost", { leads: lost.length });
      return;
    } catch (error) {
      if (pauseMs === undefined || !(error instanceof DatabaseError)) throw error;
      log.warn("settle_failed", { code: error.code, retryMs: pauseMs });
      await clock.sleep(pauseMs);
    }
  }
}
