/** A Postgres that commits as one in production does; the tests' own forgoes the disk. */
import type { Sql } from "postgres";
import { migrate } from "../../../local/supabase/migrate.ts";
import { startPostgres } from "../../../local/postgres/postgres.ts";
import { connect } from "../../../cli/connect.ts";
import { prepareDatabase } from "../../../local/supabase/database.ts";
import { writeVaultSecrets } from "../../../cli/vault_secrets.ts";

export interface BenchDatabase extends AsyncDisposable {
  /** A pool of sessions as `postgres`. */
  sql: Sql;
}

/** Settings that the local stack changes to be fast, as Supabase's projects have them. */
const inProduction = { fsync: "on", full_page_writes: "on", wal_level: "logical" };

/** A migrated database on a server of its own. Each commit waits for the disk. */
export async function startDurableDatabase(): Promise<BenchDatabase> {
  const server = await startPostgres({ settings: inProduction });
  try {
    await prepareDatabase(server, true);
    await migrate({ databaseUrl: server.url() });
    const sql = connect(server.url());
    // Nobody listens there: a ring is queued, which is all that a writer waits for.
    const mautic_sync_url = "http://127.0.0.1:9/functions/v1/mautic-sync";
    await writeVaultSecrets(sql, { mautic_sync_url, mautic_sync_key: "sb_secret_bench" });
    return {
      sql,
      [Symbol.asyncDispose]: async () => {
        await sql.end({ timeout: 1 });
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
