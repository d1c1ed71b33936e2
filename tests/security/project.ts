import type { Sql } from "postgres";
import { type ApiKeys, createApiKeys } from "../../local/supabase/api_keys.ts";
import { marked } from "../../local/canary/canary.ts";
import { createDataApi } from "../../local/supabase/data_api.ts";
import { startGateway } from "../../local/supabase/gateway.ts";
import { type MauticEmulator, startMauticEmulator } from "../../local/mautic/emulator.ts";
import { sayLive, type TestDatabase, testDatabase } from "../support/database.ts";

/** A project as somebody outside of it sees it, and what only its owner sees. */
export interface Project extends AsyncDisposable {
  /** The gateway: `/rest/v1/…` and `/functions/v1/…`. */
  url: string;
  keys: Required<ApiKeys>;
  webhookSecret: string;
  db: TestDatabase;
  sql: Sql;
  mautic: MauticEmulator;
  /** What the functions printed. */
  log: string[];
}

export interface ProjectOptions {
  /** Variables beside, or in place of, the project's own. */
  env?: Record<string, string>;
}

/**
 * Both functions in processes of their own behind the gateway, and the Data API, on a database
 * whose bell nobody answers: what is there changes by the requests of a test alone.
 */
export async function startProject(options: ProjectOptions = {}): Promise<Project> {
  await using cleanup = new AsyncDisposableStack();
  const db = cleanup.use(await testDatabase());
  const mautic = cleanup.use(await startMauticEmulator());
  const { jwtSecret = "", ...pair } = createApiKeys();
  const keys = { ...pair, jwtSecret };
  const dataApi = createDataApi({ databaseUrl: db.url, keys, schemas: ["public", "mautic"] });
  cleanup.defer(dataApi.close);
  const log: string[] = [];
  const webhookSecret = marked(crypto.randomUUID());
  const functionEnv: Record<string, string> = {};
  const gateway = startGateway({
    port: 0,
    dataApi,
    functionsFolder: new URL("../../supabase/functions/", import.meta.url),
    functionEnv,
    log: (_, line) => log.push(line),
  });
  cleanup.defer(gateway.stop);
  const url = `http://127.0.0.1:${gateway.port}`;
  Object.assign(functionEnv, {
    SUPABASE_URL: url,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    MAUTIC_BASE_URL: mautic.url,
    MAUTIC_CLIENT_ID: mautic.clientId,
    MAUTIC_CLIENT_SECRET: mautic.clientSecret,
    MAUTIC_WEBHOOK_SECRET: webhookSecret,
    ...options.env,
  });
  await sayLive(db.sql, url, mautic.url);
  const rest = cleanup.move();
  return {
    url,
    keys,
    webhookSecret,
    db,
    sql: db.sql,
    mautic,
    log,
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** Everything in the tables of ours, as text: equal before and after means that nothing changed. */
export async function contents(sql: Sql): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('mautic', 'public', 'net', 'vault') and c.relkind in ('r', 'p')
    order by 1`;
  const rows = await Promise.all(
    tables.map(({ name }) =>
      sql.unsafe(`select '${name}' as of, coalesce(string_agg(t::text, E'\\n' order by t::text), '')
      as rows from ${name} t`)
    ),
  );
  return rows.map(([row]) => `${row?.["of"]}\n${row?.["rows"]}`).join("\n\n");
}
