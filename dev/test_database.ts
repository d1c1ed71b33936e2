/** Databases for tests: each its own, all on one Postgres that serves the whole test process. */
import type { Sql } from "postgres";
import { z } from "zod";
import { migrate } from "../local/supabase/migrate.ts";
import { startPostgres } from "../local/postgres/postgres.ts";
import { reportStoredSecrets } from "../local/canary/stored_secrets.ts";
import { connect } from "../cli/connect.ts";
import { prepareDatabase } from "../local/supabase/database.ts";

export type TestDatabaseOptions = {
  /** Apply this project's migrations. Default: true. */
  migrations?: boolean;
  /** Offer stand-ins of pg_net and pg_cron, and install Vault's. Default: true. */
  standIns?: boolean;
};

export type TestDatabase = AsyncDisposable & {
  name: string;
  /** Connection string of `postgres`: who operates a Supabase project, no superuser. */
  url: string;
  /** Connection string of the superuser. */
  adminUrl: string;
  /** A pool of connections as `postgres`. */
  sql: Sql;
  /** One more session of its own, as `postgres`; closed with the database. */
  session(): Sql;
  /** The same as the superuser. */
  adminSession(): Sql;
};

/** Settings of a database are not copied with it. */
const searchPath = `"$user", public, extensions`;

/** A server as other test files find it. */
const sharedServer = z.object({
  pid: z.literal(Deno.pid),
  url: z.string(),
  adminUrl: z.string(),
});
type SharedServer = z.infer<typeof sharedServer>;

/**
 * A fresh database, migrated, in some 50 ms. The first call in a test process starts Postgres and
 * applies the migrations (about 2.5 s); the server ends with the process. With the environment
 * variable LEAD_SYNC_TEST_POSTGRES=15 it is a Postgres 15.
 *
 * @example
 * ```ts
 * await using database = await createTestDatabase();
 * await database.sql`insert into public.leads (email) values ('a@example.com')`;
 * ```
 */
export async function createTestDatabase(
  options: TestDatabaseOptions = {},
): Promise<TestDatabase> {
  const server = await serverFor(options.standIns ?? true);
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const template = options.migrations ?? true ? "migrated" : "bare";
  const onServer = connect(server.adminUrl, { max: 1 });
  try {
    await onServer.unsafe(`create database ${name} template ${template} owner postgres`);
    await onServer.unsafe(`alter database ${name} set search_path to ${searchPath}`);
  } finally {
    await onServer.end();
  }

  const url = inDatabase(server.url, name);
  const adminUrl = inDatabase(server.adminUrl, name);
  const open: Sql[] = [];
  const keep = (sql: Sql) => {
    open.push(sql);
    return sql;
  };
  return {
    name,
    url,
    adminUrl,
    sql: keep(connect(url)),
    session: () => keep(connect(url, { max: 1 })),
    adminSession: () => keep(connect(adminUrl, { max: 1 })),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(open.map((sql) => sql.end({ timeout: 1 })));
      const admin = connect(server.adminUrl, { max: 1 });
      try {
        await reportStoredSecrets(adminUrl);
        await admin.unsafe(`drop database ${name} with (force)`);
      } finally {
        await admin.end();
      }
    },
  };
}

function inDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/**
 * The server of this test process. Deno gives each test file an isolate of its own, so a module
 * variable would start one for each file; the environment is what the files share.
 */
async function serverFor(standIns: boolean): Promise<SharedServer> {
  const variable = standIns ? "LEAD_SYNC_TEST_SERVER" : "LEAD_SYNC_TEST_SERVER_BARE";
  const known = sharedServer.safeParse(JSON.parse(Deno.env.get(variable) ?? "null"));
  if (known.success) return known.data;
  starting[variable] ??= startServer(standIns);
  const server = await starting[variable];
  Deno.env.set(variable, JSON.stringify(server));
  return server;
}

/** Two tests of one file that begin together wait for the same start. */
const starting: Record<string, Promise<SharedServer>> = {};

/** The server's reaper ends it after this process: no test can be asked to be the last. */
async function startServer(standIns: boolean): Promise<SharedServer> {
  const major = Deno.env.get("LEAD_SYNC_TEST_POSTGRES") === "15" ? 15 : 17;
  const server = await startPostgres({ standIns, major });
  await prepareDatabase(server, standIns);
  const admin = connect(server.url("postgres", "supabase_admin"), { max: 1 });
  try {
    // Copies: nobody may be connected to a database while it serves as a template.
    for (const name of ["bare", "migrated"]) {
      await admin.unsafe(`create database ${name} template postgres owner postgres`);
      await admin.unsafe(`alter database ${name} set search_path to ${searchPath}`);
    }
  } finally {
    await admin.end();
  }
  await migrate({ databaseUrl: server.url("migrated") });
  return {
    pid: Deno.pid,
    url: server.url(),
    adminUrl: server.url("postgres", "supabase_admin"),
  };
}
