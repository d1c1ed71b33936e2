/** What the commands are told of the deployment to look at, and the environment that follows. */
import type { Command } from "commander";
import type { Sql } from "postgres";
import { z } from "zod";
import type { Env } from "shared/settings/reader.ts";
import { connect, isPostgresUrl, postgresUrlForm } from "./connect.ts";
import { readFileOf, withEnvFiles } from "./env_files.ts";
import { common } from "./options.ts";
import { databaseVariables, envOfStack } from "./target.ts";

/** Adds the options that name a deployment. */
export function takesTarget(command: Command): Command {
  return command
    .addOption(common.dbUrl(databaseVariables.join(" and ")))
    .addOption(common.envFile())
    .option("--stack <file>", "the line that `deno task start` printed: look at that stack");
}

/** The shape of these options. */
export const targetShape = {
  dbUrl: z.string().optional(),
  envFile: z.array(z.string()).default([]),
  stack: z.string().optional(),
};

/**
 * Env files, the environment, a stack's line and a database's URL in one; the later of them goes
 * before.
 *
 * @throws {Error} when a file cannot be read or is no such line, or a database URL is none
 */
export async function targetEnv(
  given: { dbUrl?: string | undefined; envFile: string[]; stack?: string | undefined },
  env: Env,
): Promise<Env> {
  const { dbUrl, envFile, stack } = given;
  const ofStack = stack === undefined ? {} : envOfStack(await readFileOf("--stack", stack));
  const merged: Env = {
    ...await withEnvFiles(envFile, env),
    // A stack is meant as a whole: a MAUTIC_BASE_URL that happens to be set is of something else.
    ...ofStack,
    ...(dbUrl === undefined ? {} : { [databaseVariables[0]]: dbUrl }),
  };
  for (const name of databaseVariables) {
    const url = merged[name]?.trim();
    // Not shown: it may hold a password.
    if (url && !isPostgresUrl(url)) {
      throw new Error(`${name} is no database URL; expected ${postgresUrlForm}`);
    }
  }
  return merged;
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
