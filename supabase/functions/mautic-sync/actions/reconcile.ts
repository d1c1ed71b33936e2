import { inboxCalls } from "shared/database/inbox.ts";
import { reconcileCalls } from "shared/database/reconcile.ts";
import type { ActionContext } from "../connect.ts";
import { connectMautic } from "../connect_mautic.ts";
import { reconcileConsent } from "../inbound/reconcile_consent.ts";

/** In the background, as a drain: after a long outage there is much to read. */
export function startReconcile(context: ActionContext): Response {
  const { platform, answers, log, settings, clock } = context;
  const { call } = context.database;
  const { mautic } = connectMautic(context);
  const reconciled = reconcileConsent({
    mautic,
    database: { ...reconcileCalls(call), ...inboxCalls(call) },
    origin: settings.baseUrl,
    clock,
    log,
    correlationId: answers.correlationId,
    budgetMs: settings.workerBudgetMs,
  }).catch((error) => log.error("reconcile_failed", { error }));
  platform.background(reconciled);
  return answers.ok({ accepted: true }, 202);
}
