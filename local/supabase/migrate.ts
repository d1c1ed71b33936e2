/** Applies the migrations with the real Supabase CLI. */
import { runSupabase } from "./supabase_cli.ts";

export type MigrateOptions = {
  /** Connection string of a role that may create schemas, tables and extensions. */
  databaseUrl: string;
  /** Folder that holds `supabase/migrations`. Default: this project. */
  workdir?: string;
};

/** What the CLI printed, its own decorations included. */
export type MigrateResult = { output: string };

/**
 * Applies every migration that the database has not seen (`supabase migration up`).
 *
 * @throws {Error} with what the CLI printed when a migration fails
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const { success, stdout, stderr } = await runSupabase(
    ["migration", "up", `--remote=${options.databaseUrl}`, "--yes"],
    options.workdir === undefined ? {} : { workdir: options.workdir },
  );
  const output = `${stderr.trim()}\n${stdout.trim()}`.trim();
  if (!success) throw new Error(`The migrations could not be applied:\n${output}`);
  return { output };
}
