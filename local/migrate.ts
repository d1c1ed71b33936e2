/** Applies the migrations with the real Supabase CLI. */
import { fileURLToPath } from "node:url";
import { supabaseProgram } from "./npm_binaries.ts";

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
  const workdir = options.workdir ?? fileURLToPath(new URL("..", import.meta.url));
  const home = await Deno.makeTempDir({ prefix: "lead-sync-cli-" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(await supabaseProgram(), {
      args: ["migration", "up", `--remote=${options.databaseUrl}`, "--workdir", workdir, "--yes"],
      cwd: workdir,
      stdin: "null",
      // Neither reads nor writes the settings of the person at this machine, and calls nobody.
      // The CLI leaves an unpacked library in its folder for temporary files.
      env: { HOME: home, TMPDIR: home, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    const output = `${decode(stderr)}\n${decode(stdout)}`.trim();
    if (!success) throw new Error(`The migrations could not be applied:\n${output}`);
    return { output };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
