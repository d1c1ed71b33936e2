import { type ActionContext, connect } from "../connect.ts";
import { reconcileConsent } from "../inbound/reconcile_consent.ts";

/** In the background, as a drain: after a long outage there is much to read. */
export function startReconcile(context: ActionContext): Response {
  const { platform, answers, log, settings, database, clock } = context;
  const { mautic } = connect(context);
  const reconciled = reconcileConsent({
    mautic,
    database,
    origin: settings.baseUrl,
    clock,
    log,
    correlationId: answers.correlationId,
    budgetMs: settings.workerBudgetMs,
  }).catch((error) => log.error("reconcile_failed", { error }));
  platform.background(reconciled);
  return answers.ok({ accepted: true }, 202);
}
