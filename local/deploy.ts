/** Deploys the functions with the real Supabase CLI. */
import { join } from "node:path";
import type { ManagementApi } from "./management_api.ts";
import { runSupabase } from "./supabase_cli.ts";

/**
 * `supabase functions deploy --use-api` of every function in config.toml, to a stand-in.
 *
 * A profile is the one way to send the CLI (3.1) to another API than Supabase's own; the variable
 * SUPABASE_API_URL is not heeded.
 *
 * @returns what the CLI printed
 * @throws {Error} with what the CLI printed when it fails
 */
export async function deployFunctions(api: ManagementApi): Promise<string> {
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
      [
        ...["functions", "deploy", "--use-api", "--yes"],
        `--remote=${api.projectRef}`,
        ...["--profile", profile],
      ],
      { env: { SUPABASE_ACCESS_TOKEN: `sbp_${"0".repeat(40)}` } },
    );
    const output = `${stderr.trim()}\n${stdout.trim()}`.trim();
    if (!success) throw new Error(`The functions could not be deployed:\n${output}`);
    return output;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
