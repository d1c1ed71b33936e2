import type { Database } from "shared/database/database.ts";
import type { MauticClient } from "shared/mautic/client.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

/** What the steps of a sync need from outside. */
export interface SyncContext {
  mautic: MauticClient;
  database: Database;
  settings: SyncSettings;
  clock: Clock;
  random: () => number;
  log: Log;
  run: Run;
}

/** What a step needs to tell what a failure means. */
export type FailureContext = Pick<SyncContext, "run" | "settings" | "random" | "log">;

/** A kind of request, as far as one that passed says something of another that failed. */
export type Step = "read" | "save" | "consent" | "tag" | "enroll" | "other";

/** What a worker has learned of Mautic's state since it started. */
export interface Run {
  batchSize: number;
  /** The kinds of calls that got through. */
  passed: Set<Step>;
  /** Leads that Mautic failed to save in a request of their own, since the last save that passed. */
  savesFailedAlone: number;
  /** Mautic did something for us, be it a read: the circuit breaker wants to know. */
  answered: boolean;
  /** Set when nothing more should be sent for now: Mautic is down, full, or refuses us. */
  halt: { code: string; delayMs: number } | undefined;
}

/** A fresh {@link Run}. */
export function startRun(settings: SyncSettings): Run {
  return {
    batchSize: settings.batchSize,
    passed: new Set(),
    savesFailedAlone: 0,
    answered: false,
    halt: undefined,
  };
}

/** A request of this kind got through. */
export function notePassed(run: Run, step: Step): void {
  run.answered = true;
  run.passed.add(step);
}

/** Ends this run's sending; what is left goes back to the outbox. */
export function halt(
  { run, settings, log }: Omit<FailureContext, "random">,
  { code, retryAfterMs, status }: {
    code: string;
    retryAfterMs?: number | undefined;
    status?: number | undefined;
  },
): void {
  run.halt = { code, delayMs: retryAfterMs ?? 0 };
  log.warn("sending_halted", { code, status, batchSize: settings.batchSize });
}
