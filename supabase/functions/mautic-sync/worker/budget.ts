import type { Clock } from "shared/runtime/clock.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

/**
 * The share of its budget that a worker has spent: of time and leads, and of requests, for the
 * platform ends whatever has had two seconds of CPU, and it is requests that take it (about 1 ms
 * each, 0.15 ms a lead: `deno task bench resources`).
 */
export function spentBudget(
  { clock, settings, requestCount }: {
    clock: Clock;
    settings: SyncSettings;
    requestCount: () => number;
  },
  { leads, startedAt }: { leads: number; startedAt: number },
): number {
  return Math.max(
    (clock.now() - startedAt) / settings.workerBudgetMs,
    leads / settings.workerBudgetLeads,
    requestCount() / settings.workerBudgetRequests,
  );
}
