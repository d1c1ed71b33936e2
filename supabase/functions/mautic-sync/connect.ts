import { createDatabase, type Database } from "shared/database/database.ts";
import type { Answers } from "shared/http/answer.ts";
import { createTokenSource, type TokenSource } from "shared/mautic/token/cache.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { Platform } from "shared/runtime/platform.ts";
import type { SupabaseSettings } from "shared/settings/supabase.ts";
import type { SupersededSetting } from "shared/settings/superseded.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

/** What the function is given from outside. */
export interface Dependencies {
  platform: Platform;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** What an action works with, for one request. */
export interface ActionContext extends Dependencies {
  /** Requests this process has made so far, with `fetch` and to the database. */
  requestCount: () => number;
  settings: SyncSettings;
  superseded: SupersededSetting[];
  database: Database;
  answers: Answers;
  /** One for all requests of this process. */
  tokens: TokenSource;
}

const databaseTimeoutMs = 15_000;

/** The database, for the life of the process. */
export function connectDatabase(
  { url, secretKey }: SupabaseSettings,
  { fetch }: Pick<Dependencies, "fetch">,
): Database {
  return createDatabase({ url, secretKey, fetch, timeoutMs: databaseTimeoutMs });
}

/** Mautic's tokens, for the life of the process. */
export function connectTokens(
  settings: SyncSettings,
  database: Database,
  { fetch, clock, random, log }: Omit<Dependencies, "platform">,
): TokenSource {
  return createTokenSource({
    origin: settings.baseUrl,
    clientId: settings.clientId,
    clientSecret: settings.clientSecret,
    store: database.tokens,
    holder: crypto.randomUUID(),
    fetch,
    clock,
    random,
    requestTimeoutMs: settings.requestTimeoutMs,
    retry: settings.retry,
    log,
  });
}
