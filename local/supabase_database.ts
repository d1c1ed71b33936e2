/** Makes a bare Postgres what a Supabase project's database is before its first migration. */
import postgres from "postgres";
import type { Postgres } from "./postgres.ts";

/** Opens connections; notices, which migrations raise plenty of, go nowhere. */
export function connect(url: string, options: postgres.Options<Record<never, never>> = {}) {
  return postgres(url, { onnotice: () => {}, ...options });
}

/**
 * Runs bootstrap.sql in the database `postgres`, and installs Vault, which every Supabase project
 * has. pg_net and pg_cron are on offer only, as there: the migrations create them.
 */
export async function prepareDatabase(server: Postgres, vault: boolean): Promise<void> {
  const admin = connect(server.url("postgres", "supabase_admin"), { max: 1 });
  try {
    const bootstrap = new URL("./bootstrap.sql", import.meta.url);
    await admin.unsafe(await Deno.readTextFile(bootstrap));
    if (vault) await admin`create extension supabase_vault`;
  } finally {
    await admin.end();
  }
}
