/** What doctor and set-up are told on the command line, and the environment that follows. */
import { parseEnv } from "node:util";
import postgres, { type Sql } from "postgres";
import type { Env } from "../../shared/settings.ts";
import { envOfStack } from "./target.ts";

/** Options both programs take, for `parseArgs` of node:util. */
export const targetOptions = {
  "env-file": { type: "string" },
  stack: { type: "string" },
} as const;

/** Lines of a usage text. */
export const targetUsage = [
  "  --env-file FILE   take variables from a file, besides the environment, which goes before",
  "  --stack FILE      the line that `deno task start` printed: look at that stack",
];

/**
 * The environment, an env file and a stack's line in one; the first that has a variable counts.
 *
 * @throws {Error} when a file cannot be read or is no such line
 */
export async function targetEnv(
  given: { "env-file"?: string | undefined; stack?: string | undefined },
  env: Env,
): Promise<Env> {
  const { "env-file": envFile, stack } = given;
  const ofStack = stack === undefined ? {} : envOfStack(await Deno.readTextFile(stack));
  const ofFile = envFile === undefined ? {} : parseEnv(await Deno.readTextFile(envFile));
  const filled = Object.entries(env).filter(([, value]) => value?.trim());
  // A stack is meant as a whole: a MAUTIC_BASE_URL that happens to be set is of something else.
  return { ...ofFile, ...Object.fromEntries(filled), ...ofStack };
}

/** One session; works through Supabase's poolers, with TLS where the server has it. */
export function openSession(url: string): Sql {
  return postgres(url, {
    max: 1,
    connect_timeout: 10,
    prepare: false,
    onnotice: () => {},
    ...(/[?&]sslmode=/.test(url) ? {} : { ssl: "prefer" }),
  });
}
