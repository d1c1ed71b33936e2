/** What doctor and set-up are told on the command line, and the environment that follows. */
import { parseEnv } from "node:util";
import type { Sql } from "postgres";
import type { Env } from "shared/settings/reader.ts";
import { connect } from "../supabase_database.ts";
import { envOfStack } from "./target.ts";

/** Options both programs take, for `parseArgs` of node:util. */
export const targetOptions = {
  "env-file": { type: "string", multiple: true },
  stack: { type: "string" },
} as const;

/** Lines of a usage text. */
export const targetUsage = [
  "  --env-file FILE   take variables from a file; may be given again. The environment goes before",
  "  --stack FILE      the line that `deno task start` printed: look at that stack",
];

/**
 * Env files, the environment and a stack's line in one; the later of them goes before.
 *
 * @throws {Error} when a file cannot be read or is no such line
 */
export async function targetEnv(
  given: { "env-file"?: string[] | undefined; stack?: string | undefined },
  env: Env,
): Promise<Env> {
  const { "env-file": envFiles = [], stack } = given;
  const ofStack = stack === undefined ? {} : envOfStack(await Deno.readTextFile(stack));
  const ofFiles = await Promise.all(
    envFiles.map(async (file) => parseEnv(await Deno.readTextFile(file))),
  );
  const filled = Object.entries(env).filter(([, value]) => value?.trim());
  // A stack is meant as a whole: a MAUTIC_BASE_URL that happens to be set is of something else.
  return {
    ...Object.fromEntries([...ofFiles.flatMap((file) => Object.entries(file)), ...filled]),
    ...ofStack,
  };
}

/** One session; works through Supabase's poolers, with TLS where the server has it. */
export function openSession(url: string): Sql {
  return connect(url, {
    max: 1,
    connect_timeout: 10,
    prepare: false,
    ...(/[?&]sslmode=/.test(url) ? {} : { ssl: "prefer" }),
  });
}
