import type postgres from "postgres";
import { createApiKeys } from "../../local/supabase/api_keys.ts";
import { createDataApi } from "../../local/supabase/data_api.ts";
import {
  type MauticEmulator,
  type MauticEmulatorOptions,
  startMauticEmulator,
} from "../../local/mautic/emulator.ts";
import { systemClock } from "shared/runtime/clock.ts";
import { createLog } from "shared/runtime/log.ts";
import { createHandler } from "../../supabase/functions/mautic-sync/handler.ts";
import { sayLive, testDatabase } from "./database.ts";

export interface SyncAnswer {
  ok: boolean;
  data?: Record<string, unknown>;
  error?: { code: string; message: string };
}

export interface Sync extends AsyncDisposable {
  sql: postgres.Sql;
  admin: postgres.Sql;
  url: string;
  mautic: MauticEmulator;
  /** Where the function's lines go, parsed. */
  log: Record<string, unknown>[];
  /** What another process needs to be the same function. */
  env: Record<string, string>;
  until(condition: () => Promise<boolean>): Promise<void>;
  call(body: object): Promise<{ status: number; answer: SyncAnswer }>;
  /** Asks for the health answer; with the secret key unless other headers are given. */
  get(headers?: Record<string, string>): Promise<{ status: number; answer: SyncAnswer }>;
  /** Rings, and waits until the worker has gone. */
  drain(): Promise<void>;
  /** Makes everything that waits due now: back-offs, graces and the circuit breaker's pauses. */
  skipWaits(): Promise<void>;
}

export interface SyncOptions {
  env?: Record<string, string>;
  mautic?: MauticEmulatorOptions;
}

/**
 * mautic-sync in this process, on a real Postgres through the Data API over HTTP, against the
 * emulated Mautic. Nobody answers the bell: tests say when to drain.
 */
export async function startSync(options: SyncOptions = {}): Promise<Sync> {
  const db = await testDatabase();
  const mautic = await startMauticEmulator(options.mautic);
  const keys = await createApiKeys();
  const dataApi = createDataApi({ databaseUrl: db.url, keys, schemas: ["public", "mautic"] });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => dataApi.fetch(request),
  );
  const env = {
    SUPABASE_URL: `http://127.0.0.1:${server.addr.port}`,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    MAUTIC_BASE_URL: mautic.url,
    MAUTIC_CLIENT_ID: mautic.clientId,
    MAUTIC_CLIENT_SECRET: mautic.clientSecret,
    MAUTIC_ENROLLMENT_ENABLED: "true",
    MAUTIC_CAMPAIGN_HIGH_VALUE: String(mautic.campaignId),
    MAUTIC_WORKER_LINGER_MS: "0",
    MAUTIC_RETRY_DELAY_MS: "1",
    ...options.env,
  };
  await sayLive(db.sql, env.SUPABASE_URL, env.MAUTIC_BASE_URL);
  const log: Record<string, unknown>[] = [];
  const running: Promise<unknown>[] = [];
  const handler = createHandler({
    platform: { env, background: (work) => running.push(work) },
    fetch,
    clock: systemClock,
    random: Math.random,
    log: createLog({
      name: "mautic-sync",
      write: (line) => log.push(JSON.parse(line)),
      now: Date.now,
    }),
  });

  async function call(body: object) {
    const response = await handler(
      new Request("http://local/mautic-sync", {
        method: "POST",
        headers: { apikey: keys.secret },
        body: JSON.stringify(body),
      }),
    );
    const answer: SyncAnswer = await response.json();
    return { status: response.status, answer };
  }

  return {
    sql: db.sql,
    admin: db.admin,
    url: db.url,
    mautic,
    log,
    env,
    until: db.until,
    call,
    async get(headers = { apikey: keys.secret }) {
      const response = await handler(new Request("http://local/mautic-sync", { headers }));
      const answer: SyncAnswer = await response.json();
      return { status: response.status, answer };
    },
    async drain() {
      await call({ action: "drain" });
      await Promise.all(running.splice(0));
    },
    async skipWaits() {
      await db.sql`update mautic.outbox set not_before = mautic.clock() where state = 'waiting'`;
      await db.sql`update mautic.sending set probe_at = mautic.clock() where probe_at is not null`;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running);
      await server.shutdown();
      await dataApi.close();
      await mautic.stop();
      await db[Symbol.asyncDispose]();
    },
  };
}
