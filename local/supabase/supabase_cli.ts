/** Runs the real Supabase CLI, apart from the settings of the person at this machine. */
import { fileURLToPath } from "node:url";
import { supabaseProgram } from "../process/npm_binaries.ts";
import { reapedFolder, temporaryFolder } from "../process/reaper.ts";

export type SupabaseOptions = {
  /** Folder that holds `supabase/`. Default: this project. */
  workdir?: string;
  /** Variables for the CLI. Whatever the caller's own environment says with SUPABASE_ is left out. */
  env?: Record<string, string>;
};

/** What the CLI printed: results on stdout, its remarks on stderr. */
export type SupabaseResult = { success: boolean; stdout: string; stderr: string };

/** This project's folder. */
export const projectFolder = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Runs one command of the CLI.
 *
 * It gets an empty home: it reads no login, no linked project and no profile of the developer's,
 * writes none, and sends no telemetry.
 *
 * @returns also when the command fails; `success` tells
 */
export async function runSupabase(
  args: string[],
  options: SupabaseOptions = {},
): Promise<SupabaseResult> {
  const workdir = options.workdir ?? projectFolder;
  const { folder: home, remove } = await reapedFolder(temporaryFolder());
  try {
    const { success, stdout, stderr } = await new Deno.Command(await supabaseProgram(), {
      args: [...args, "--workdir", workdir],
      cwd: workdir,
      stdin: "null",
      clearEnv: true,
      env: { ...inherited(), ...quiet(home), ...options.env },
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { success, stdout: decode(stdout), stderr: decode(stderr) };
  } finally {
    await remove();
  }
}

/** The CLI leaves an unpacked library in its folder for temporary files. */
function quiet(home: string): Record<string, string> {
  return {
    HOME: home,
    TMPDIR: home,
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    NO_COLOR: "1",
  };
}

/** A developer's access token, profile or database password must never reach a rehearsal. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !/^(SUPABASE|PG)/.test(name)),
  );
}
