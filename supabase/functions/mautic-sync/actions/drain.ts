import type { ActionContext } from "../connect.ts";
import { connectMautic } from "../connect_mautic.ts";
import { drain } from "../worker/drain.ts";
import type { Lease } from "../worker/lease.ts";

/** Answers at once, for pg_net waits five seconds at most, and works on in the background. */
export function startDrain(context: ActionContext): Response {
  const { platform, answers, log, requestCount } = context;
  const workerId = crypto.randomUUID();
  const before = requestCount();
  const lease: Lease = { until: 0, renewedAt: -Infinity };
  const drained = drain({
    ...connectMautic(context, lease),
    workerId,
    lease,
    correlationId: answers.correlationId,
    requestCount: () => requestCount() - before,
  }).catch((error) => log.error("drain_failed", { workerId, error }));
  platform.background(drained);
  return answers.ok({ accepted: true }, 202);
}
