import { DatabaseError } from "shared/database/call.ts";
import { createDatabase } from "shared/database/database.ts";
import { messageOf } from "shared/errors/message.ts";
import { type Answers, startAnswers } from "shared/http/answer.ts";
import { issuesOf } from "shared/lead/issue.ts";
import { createTokenSource } from "shared/mautic/token/cache.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { Platform } from "shared/runtime/platform.ts";
import { readSupabaseSettings } from "shared/settings/supabase.ts";
import { readSyncSettings } from "shared/settings/sync.ts";
import { type ActionContext, actions } from "./actions.ts";
import { isAuthorized } from "./authorize.ts";
import { readJson } from "./body.ts";
import { demoActions } from "./demo_mode.ts";
import { health } from "./health.ts";
import { syncRequest } from "./request.ts";
import { meterRequests } from "./request_meter.ts";

/** What the function is given from outside. */
export interface Dependencies {
  platform: Platform;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
}

const bodyLimits = { maxBytes: 1024 * 1024, timeoutMs: 10_000 };
const databaseTimeoutMs = 15_000;

/**
 * The HTTP side of mautic-sync: who calls, what is wanted, is it well formed, and the answer.
 * Configuration is read once; what is wrong with it is answered to every request by name.
 */
export function createHandler(dependencies: Dependencies): (request: Request) => Promise<Response> {
  const { platform, clock, log } = dependencies;
  const meter = meterRequests(dependencies.fetch);
  const supabase = readSupabaseSettings(platform.env);
  const sync = readSyncSettings(platform.env);
  const connection = supabase.ok
    ? {
      url: supabase.settings.url,
      secretKey: supabase.settings.secretKey,
      fetch: meter.fetch,
      timeoutMs: databaseTimeoutMs,
    }
    : undefined;
  const database = connection && createDatabase(connection);
  const tokens = database && sync.mode === "live"
    ? createTokenSource({
      origin: sync.settings.baseUrl,
      clientId: sync.settings.clientId,
      clientSecret: sync.settings.clientSecret,
      store: database.tokens,
      holder: crypto.randomUUID(),
      fetch: meter.fetch,
      clock,
      random: dependencies.random,
      requestTimeoutMs: sync.settings.requestTimeoutMs,
      retry: sync.settings.retry,
      log,
    })
    : undefined;

  return async (request) => {
    const answers = startAnswers(request, { now: clock.now, newId: () => crypto.randomUUID() });
    const requestLog = log.with({ correlationId: answers.correlationId });
    try {
      return await handle(request, answers, requestLog);
    } catch (error) {
      requestLog.error("request_failed", { error });
      return error instanceof DatabaseError
        ? answers.fail("database_unavailable", messageOf(error))
        : answers.fail("internal", "Something went wrong that should not.");
    }
  };

  async function handle(request: Request, answers: Answers, requestLog: Log): Promise<Response> {
    if (request.method !== "POST" && request.method !== "GET") {
      return answers.fail("method_not_allowed", `${request.method} is not served here.`, {
        headers: { Allow: "GET, POST" },
      });
    }
    if (!supabase.ok || !database) {
      const message = "Without Supabase settings no caller can be told from another.";
      return answers.fail("supabase_not_configured", message, {
        details: { problems: supabase.ok ? [] : supabase.problems },
      });
    }
    if (!await isAuthorized(request, supabase.settings)) {
      return answers.fail("unauthorized", "A secret key of this project is needed.");
    }
    if (request.method === "GET") {
      return await health({ database, env: platform.env, answers });
    }
    const body = await readJson(request, bodyLimits);
    if (!body.ok) return answers.fail(body.code, body.message);
    const parsed = syncRequest.safeParse(body.value);
    if (!parsed.success) {
      const details = issuesOf(parsed.error);
      const paths = details.map((issue) => issue.path).join(", ");
      return answers.fail("invalid_body", `Not a request of mautic-sync: ${paths}.`, { details });
    }
    if (sync.mode === "invalid") {
      const names = sync.problems.map((problem) => problem.variable).join(", ");
      return answers.fail("invalid_configuration", `Not configured: ${names}.`, {
        details: { problems: sync.problems },
      });
    }
    if (sync.mode === "demo" || !tokens) return demoActions(parsed.data, answers, requestLog);
    const context: ActionContext = {
      ...dependencies,
      fetch: meter.fetch,
      requestCount: meter.count,
      log: requestLog,
      settings: sync.settings,
      database,
      answers,
      tokens,
    };
    return await actions(parsed.data, context);
  }
}
