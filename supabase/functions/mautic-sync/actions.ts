import type { Database } from "shared/database/database.ts";
import { messageOf } from "shared/errors/message.ts";
import type { Answers } from "shared/http/answer.ts";
import { parseLead } from "shared/lead/lead.ts";
import { createMauticClient } from "shared/mautic/client.ts";
import type { TokenSource } from "shared/mautic/token/cache.ts";
import { answerCode, MauticError } from "shared/mautic/transport/errors.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { Platform } from "shared/runtime/platform.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import { addToCampaign } from "./add_to_campaign.ts";
import { type Lease, outlasts } from "./lease.ts";
import { reconcileConsent } from "./reconcile_consent.ts";
import type { SyncRequest } from "./request.ts";
import { upsertContact } from "./upsert_contact.ts";
import { startRun, type SyncContext } from "./work.ts";
import { drain } from "./worker.ts";

export interface ActionContext {
  platform: Platform;
  fetch: typeof fetch;
  /** Requests this process has made so far, with `fetch` and to the database. */
  requestCount: () => number;
  clock: Clock;
  random: () => number;
  log: Log;
  settings: SyncSettings;
  database: Database;
  answers: Answers;
  /** One for all requests of this process. */
  tokens: TokenSource;
}

/** Carries out one request of mautic-sync. Errors: DatabaseError. */
export async function actions(request: SyncRequest, context: ActionContext): Promise<Response> {
  const { answers, log } = context;
  switch (request.action) {
    case "drain":
      return startDrain(context);
    case "reconcile_consent":
      return startReconcile(context);
    case "upsert_contact":
      return await upsert(request.payload, context);
    case "ping":
      return await guarded(context, async () => {
        const { version } = await connect(context).mautic.version(answers.correlationId);
        const tokenCached = context.tokens.lastFrom() !== "mautic";
        return answers.ok({ demo: false, mautic: { version }, tokenCached });
      });
    case "add_to_campaign":
      return await guarded(context, async () => {
        const { mauticContactId: contactId, campaignId } = request;
        const state = await context.database.sendingState(context.settings.baseUrl);
        if (state === "paused" || state === "open") return answers.fail(...notSending(state));
        const added = await addToCampaign(
          { contactId, campaignId, correlationId: answers.correlationId },
          connect(context),
        );
        if (added.state !== "done") return answers.fail(added.code, added.message);
        log.info("added_to_campaign", {
          contactId,
          campaignId,
          alreadyMember: added.alreadyMember,
        });
        return answers.ok({
          success: true,
          contactId: added.contactId,
          campaignId: String(campaignId),
          alreadyMember: added.alreadyMember,
        });
      });
  }
}

/** Answers at once, for pg_net waits five seconds at most, and works on in the background. */
function startDrain(context: ActionContext): Response {
  const { platform, answers, log, requestCount } = context;
  const workerId = crypto.randomUUID();
  const before = requestCount();
  const lease: Lease = { until: 0 };
  const sync = connect(context, lease);
  const work = drain({
    ...sync,
    workerId,
    lease,
    correlationId: answers.correlationId,
    requestCount: () => requestCount() - before,
  }).catch((error) => log.error("drain_failed", { workerId, error }));
  platform.background(work);
  return answers.ok({ accepted: true }, 202);
}

/** In the background too: after a long outage there is much to read. */
function startReconcile(context: ActionContext): Response {
  const { platform, answers, log, settings, database, clock } = context;
  const { mautic } = connect(context);
  const work = reconcileConsent({
    mautic,
    database,
    origin: settings.baseUrl,
    clock,
    log,
    correlationId: answers.correlationId,
    budgetMs: settings.workerBudgetMs,
  }).catch((error) => log.error("reconcile_failed", { error }));
  platform.background(work);
  return answers.ok({ accepted: true }, 202);
}

async function upsert(payload: unknown, context: ActionContext): Promise<Response> {
  const { answers } = context;
  const parsed = parseLead(payload);
  if (!parsed.ok) {
    const details = parsed.issues.map((issue) => ({ ...issue, path: `payload.${issue.path}` }));
    return answers.fail("invalid_body", "The lead is not well formed.", { details });
  }
  const lease: Lease = { until: 0 };
  const answer = await upsertContact(parsed.lead, answers.correlationId, {
    ...connect(context, lease),
    holder: crypto.randomUUID(),
    lease,
  });
  switch (answer.state) {
    case "busy":
      return answers.fail("busy", "This person is with another request.");
    case "paused":
    case "open":
      return answers.fail(...notSending(answer.state));
    case "failed":
      return answers.fail(answer.code, answer.message);
    case "done":
      return answers.ok({
        success: true,
        contactId: answer.contactId,
        action: answer.created ? "created" : "updated",
        enrolled: answer.enrolled,
        enrollmentReason: answer.enrollmentReason,
      });
  }
}

function notSending(state: "paused" | "open"): [code: string, message: string] {
  return state === "paused"
    ? ["paused", "Sending to Mautic is paused."]
    : ["unavailable", "Mautic failed again and again; nothing is sent until a probe gets through."];
}

/** The Mautic client and the rest of what a sync needs, for one request. */
function connect(context: ActionContext, lease?: Lease): SyncContext {
  const { settings, database, clock, random, log, fetch, answers } = context;
  const mautic = createMauticClient({
    baseUrl: settings.baseUrl,
    tokens: context.tokens,
    fetch,
    clock,
    random,
    requestTimeoutMs: settings.requestTimeoutMs,
    retry: settings.retry,
    log,
    correlationId: answers.correlationId,
    ...(lease
      ? {
        mayStart: (timeoutMs: number) => outlasts(lease, timeoutMs, settings, clock),
      }
      : {}),
  });
  return { mautic, database, settings, clock, random, log, run: startRun(settings) };
}

async function guarded(
  { answers, log }: ActionContext,
  call: () => Promise<Response>,
): Promise<Response> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof MauticError)) throw error;
    log.warn("mautic_error", { code: error.code, status: error.status });
    return answers.fail(answerCode(error), messageOf(error));
  }
}
