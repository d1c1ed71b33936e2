import type postgres from "postgres";
import { projectOf } from "shared/settings/supabase.ts";
import { marked } from "../../local/canary/canary.ts";
import { createTestDatabase, type TestDatabaseOptions } from "../../dev/test_database.ts";

export interface TestDatabase extends AsyncDisposable {
  /** A pool of sessions as postgres, who owns a Supabase project's schemas. */
  sql: postgres.Sql;
  url: string;
  /** What Vault holds for the doorbell. */
  syncUrl: string;
  syncKey: string;
  /** A session as the superuser. */
  admin: postgres.Sql;
  /** Resolves once `condition` holds; for states that only Postgres knows of. */
  until(condition: () => Promise<boolean>): Promise<void>;
}

const syncUrl = "http://127.0.0.1:9/functions/v1/mautic-sync";
const syncKey = marked("test-key", "sb_secret_");

/** As mautic.go_live() does, without a ring. */
export async function sayLive(sql: postgres.Sql, projectUrl: string, origin: string) {
  await sql`insert into mautic.deployment (project, origin, live_at)
    values (${projectOf(projectUrl)}, ${origin}, now())`;
}

/**
 * A fresh migrated database with the doorbell's Vault secrets set and nobody at the other end of
 * pg_net's queue, so that rings can be counted.
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const database = await createTestDatabase(options);
  if ((options.standIns ?? true) && (options.migrations ?? true)) {
    await database.sql`select vault.create_secret(${syncUrl}, 'mautic_sync_url')`;
    await database.sql`select vault.create_secret(${syncKey}, 'mautic_sync_key')`;
  }
  return {
    sql: database.sql,
    url: database.url,
    syncUrl,
    syncKey,
    admin: database.adminSession(),
    async until(condition) {
      while (!await condition()) await new Promise((resolve) => setImmediate(resolve));
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
