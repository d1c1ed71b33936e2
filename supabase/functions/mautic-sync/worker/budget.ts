import type { DrainContext, DrainReport } from "./drain.ts";

/**
 * The share of its budget that a worker has spent: of time and leads, and of requests, for the
 * platform ends whatever has had two seconds of CPU, and it is requests that take it (about 1 ms
 * each, 0.15 ms a lead: `deno task bench resources`).
 */
export function spentBudget(
  { clock, settings, requestCount }: DrainContext,
  report: DrainReport,
  startedAt: number,
): number {
  return Math.max(
    (clock.now() - startedAt) / settings.workerBudgetMs,
    report.leads / settings.workerBudgetLeads,
    requestCount() / settings.workerBudgetRequests,
  );
}
