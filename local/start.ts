/** `deno task start`: the stack until Ctrl-C. */
import { z } from "zod";
import { withEnvFiles } from "../cli/env_files.ts";
import { common, program, readOptions, refuse } from "../cli/options.ts";
import { printNote, printResult } from "../cli/print.ts";
import { messageOf } from "shared/errors/message.ts";
import { watchForEnding } from "./process/ending.ts";
import { type StackOptions, startStack } from "./stack.ts";
import { readStartOptions } from "./start_options.ts";

const shape = z.object({
  dbUrl: z.string().optional(),
  envFile: z.array(z.string()).default([]),
  json: z.boolean().default(false),
});

const command = program("start")
  .addOption(common.dbUrl("LOCAL_DATABASE_URL; else a Postgres of its own is started"))
  .addOption(common.envFile())
  .addOption(common.json("here it always is JSON: one line with URLs and keys"))
  .addHelpText(
    "after",
    "\nMAUTIC_BASE_URL, MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET put a real Mautic in the place of the" +
      "\nemulated one; other MAUTIC_* variables are the functions' settings." +
      "\nExit status: 0 it was ended, 1 it did not start, 2 wrong options.",
  );

async function stackOptions(): Promise<StackOptions> {
  const { dbUrl, envFile } = readOptions(command, Deno.args, shape);
  try {
    const env = await withEnvFiles(envFile, Deno.env.toObject());
    return readStartOptions({ ...env, ...(dbUrl && { LOCAL_DATABASE_URL: dbUrl }) });
  } catch (error) {
    refuse(command, messageOf(error));
  }
}

const options = await stackOptions();
const ending = watchForEnding(Deno.env.toObject());

try {
  const begun = performance.now();
  await using stack = await startStack({ ...options, log: printNote });
  if (!ending.hasBegun()) {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    printNote(`The stack is up after ${seconds} s. Ctrl-C ends it and removes all it made.`);
    printResult(JSON.stringify(stack.ready));
  }
  await ending.promise;
  printNote("Ending the stack …");
} catch (error) {
  if (!ending.hasBegun()) {
    printNote(`The stack did not start: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
Deno.exit();
