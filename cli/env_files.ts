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
  const texts = await Promise.all(files.map((file) => readFileOf("--env-file", file)));
  const ofFiles = texts.flatMap((text) => Object.entries(parseEnv(text)));
  const filled = Object.entries(env).filter(([, value]) => value?.trim());
  return Object.fromEntries([...ofFiles, ...filled]);
}

/**
 * The text of a file that an option names.
 *
 * @throws {Error} that names the option, when the file cannot be read
 */
export async function readFileOf(option: string, file: string): Promise<string> {
  if (file === "") throw new Error(`${option} names no file`);
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "is not there" : "cannot be read";
    // Not its name: somebody may have given a URL with a password in its place.
    throw new Error(`${option}: the file ${why}`, { cause: error });
  }
}
