/** Settings from files, in the form of `.env`. */
import { parseEnv } from "node:util";
import type { Env } from "shared/settings/reader.ts";

/**
 * The variables of files and of the environment in one. A later file goes before an earlier one, a
 * variable of the environment that holds something before all files.
 *
 * @throws {Error} when a file cannot be read
 */
export async function withEnvFiles(files: readonly string[], env: Env): Promise<Env> {
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  const ofFiles = texts.flatMap((text) => Object.entries(parseEnv(text)));
  const filled = Object.entries(env).filter(([, value]) => value?.trim());
  return Object.fromEntries([...ofFiles, ...filled]);
}
