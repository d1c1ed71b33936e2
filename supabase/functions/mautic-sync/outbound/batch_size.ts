import type { SyncContext } from "./run.ts";

/** Grows while there is time for more: as many as a third of the time limit is enough for. */
export function adaptBatchSize(
  { run, settings }: Pick<SyncContext, "run" | "settings">,
  { leads, elapsedMs }: { leads: number; elapsedMs: number },
): void {
  const enoughMs = settings.requestTimeoutMs / 3;
  if (elapsedMs > enoughMs) return shrinkBatchSize({ run, settings });
  const fitting = Math.floor(leads * enoughMs / Math.max(elapsedMs, 1));
  run.batchSize = Math.min(
    settings.batchSize,
    Math.max(run.batchSize, Math.min(run.batchSize + 5, fitting)),
  );
}

/** Halves the size of the batches to come, down to 5. */
export function shrinkBatchSize({ run, settings }: Pick<SyncContext, "run" | "settings">): void {
  run.batchSize = Math.max(Math.min(5, settings.batchSize), Math.floor(run.batchSize / 2));
}
