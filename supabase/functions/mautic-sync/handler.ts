import { DatabaseError } from "shared/database/call.ts";
import { messageOf } from "shared/errors/message.ts";
import { type Answers, notConfigured, startAnswers } from "shared/http/answer.ts";
import { readJson } from "shared/http/body.ts";
import { issuesOf } from "shared/lead/issue.ts";
import type { Log } from "shared/runtime/log.ts";
import { readSupabaseSettings } from "shared/settings/supabase.ts";
import { readSyncSettings } from "shared/settings/sync.ts";
import { act } from "./actions/act.ts";
import { isAuthorized } from "./authorize.ts";
import { connectDatabase, connectTokens, type Dependencies } from "./connect.ts";
import { syncRequest } from "./request.ts";
import { meterRequests } from "./worker/request_meter.ts";

const bodyLimits = { maxBytes: 1024 * 1024, timeoutMs: 10_000 };

/**
 * The HTTP side of mautic-sync: who calls, what is wanted, is it well formed, and the answer.
 * Configuration is read once; what is wrong with it is answered to every request by name.
 */
export function createHandler(given: Dependencies): (request: Request) => Promise<Response> {
  const { platform, clock, log } = given;
  const meter = meterRequests(given.fetch);
  const dependencies = { ...given, fetch: meter.fetch };
  const supabase = readSupabaseSettings(platform.env);
  const sync = readSyncSettings(platform.env);
  const database = supabase.ok ? connectDatabase(supabase.settings, dependencies) : undefined;
  const tokens = database && sync.mode === "live"
    ? connectTokens(sync.settings, database, dependencies)
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
      const { health } = await import("./actions/health.ts");
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
    if (sync.mode === "invalid") return answers.fail(...notConfigured(sync.problems));
    if (sync.mode === "demo" || !tokens) {
      const { demoActions } = await import("./actions/demo.ts");
      return demoActions(parsed.data, { answers, log: requestLog, superseded: sync.superseded });
    }
    return await act(parsed.data, {
      ...dependencies,
      requestCount: meter.count,
      log: requestLog,
      settings: sync.settings,
      superseded: sync.superseded,
      database,
      answers,
      tokens,
    });
  }
}
