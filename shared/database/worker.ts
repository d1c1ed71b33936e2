import { z } from "zod";
import type { Call } from "./call.ts";

/** Workers and their leases, the bell that starts them, and whether there is anything to do. */
export function workerCalls(call: Call, project: string) {
  const nothing = z.unknown();

  return {
    startWorker: (workerId: string, maxWorkers: number, leaseMs: number) =>
      call("start_worker", {
        p_worker_id: workerId,
        p_max_workers: maxWorkers,
        p_lease_ms: leaseMs,
      }, z.boolean()),
    renewWorker: (workerId: string, leaseMs: number, itemLeaseMs: number) =>
      call("renew_worker", {
        p_worker_id: workerId,
        p_lease_ms: leaseMs,
        p_item_lease_ms: itemLeaseMs,
      }, z.boolean()),
    renewLease: (holder: string, itemLeaseMs: number) =>
      call("renew_lease", { p_holder: holder, p_item_lease_ms: itemLeaseMs }, z.number()),
    leaveWorker: (workerId: string) =>
      call("leave_worker", { p_worker_id: workerId }, z.enum(["left", "work", "busy"])),
    abandonWorker: (workerId: string) => call("abandon_worker", { p_worker_id: workerId }, nothing),
    hasWork: () => call("has_work", {}, z.boolean()),
    hasChanges: () => call("has_changes", {}, z.boolean()),
    sendingState: (origin: string) =>
      call(
        "sending_state",
        { p_origin: origin, p_project: project },
        z.enum(["closed", "probe", "open", "paused", "not_live"]),
      ),
    ring: (correlationId: string) => call("ring", { p_correlation_id: correlationId }, z.string()),
  };
}
