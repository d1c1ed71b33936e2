/** A temporary folder for a whole run, and the end of it. */
import { watchForEnding } from "../local/process/ending.ts";
import { type ReapedFolder, reapedFolder, temporaryFolder } from "../local/process/reaper.ts";

/**
 * Makes a temporary folder for this process and all that it starts from now on. However the run ends,
 * finished, interrupted (also where only npx got the signal) or killed, the folder goes with it, and
 * so does what still runs.
 */
export async function useOwnTemporaryFolder(): Promise<ReapedFolder> {
  const own = await reapedFolder(temporaryFolder());
  // Postgres may run as a user of its own.
  await Deno.chmod(own.folder, 0o711);
  Deno.env.set("TMPDIR", own.folder);
  void watchForEnding(Deno.env.toObject()).promise.then(() => Deno.exit(130));
  return own;
}
