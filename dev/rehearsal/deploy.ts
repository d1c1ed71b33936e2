/** Deploys with the real Supabase CLI, to a stand-in of the management API. */
import { join } from "node:path";
import type { ManagementApi } from "./management_api.ts";
import { runSupabase } from "../../local/supabase/supabase_cli.ts";

/** `supabase functions deploy --use-api` of every function in config.toml; see {@link run}. */
export function deployFunctions(api: ManagementApi): Promise<string> {
  return run(api, ["functions", "deploy", "--use-api"]);
}

/** `supabase config push` of what config.toml says of the project; see {@link run}. */
export function pushConfig(api: ManagementApi): Promise<string> {
  return run(api, ["config", "push"]);
}

/** `supabase secrets set` of the variables in a file; see {@link run}. */
export function setSecrets(api: ManagementApi, envFile: string): Promise<string> {
  return run(api, ["secrets", "set", "--env-file", envFile]);
}

/**
 * Runs a command of the CLI on the stand-in's project.
 *
 * A profile is the one way to send the CLI (3.1) to another API than Supabase's own; the variable
 * SUPABASE_API_URL is not heeded.
 *
 * @returns what the CLI printed
 * @throws {Error} with what the CLI printed when it fails
 */
async function run(api: ManagementApi, command: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "lead-sync-profile-" });
  try {
    const profile = join(folder, "profile.yaml");
    const settings = {
      name: "rehearsal",
      api_url: api.url,
      dashboard_url: api.url,
      project_host: "supabase.test",
    };
    // JSON is YAML too.
    await Deno.writeTextFile(profile, JSON.stringify(settings));
    const { success, stdout, stderr } = await runSupabase(
      [...command, "--yes", `--remote=${api.projectRef}`, "--profile", profile],
      { env: { SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}` } },
    );
    const output = `${stderr.trim()}\n${stdout.trim()}`.trim();
    if (!success) throw new Error(`supabase ${command.join(" ")} failed:\n${output}`);
    return output;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
