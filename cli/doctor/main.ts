/** The program behind `deno task doctor`. */
import { z } from "zod";
import { systemClock } from "shared/runtime/clock.ts";
import { messageOf } from "shared/errors/message.ts";
import type { Env } from "shared/settings/reader.ts";
import { common, program, readOptions, refuse } from "../options.ts";
import { printResult } from "../print.ts";
import { readTarget, type Target } from "../target.ts";
import { openSession, takesTarget, targetEnv, targetShape } from "../target_options.ts";
import { examine } from "./examine.ts";
import { makeReport, reportLines } from "./report.ts";

const shape = z.object({ ...targetShape, json: z.boolean().default(false) });

const command = takesTarget(program("doctor"))
  .addOption(common.json())
  .addHelpText("after", "\nExit status: 0 nothing fails, 1 something does, 2 wrong options.");

/** Runs the doctor; answers the exit status. */
export async function doctor(args: readonly string[], env: Env): Promise<number> {
  const options = readOptions(command, args, shape);
  let target: Target;
  try {
    target = readTarget(await targetEnv(options, env));
  } catch (error) {
    refuse(command, messageOf(error));
  }
  const findings = await examine({
    target,
    fetch,
    clock: systemClock,
    connect: openSession,
    migrations: await migrationFiles(),
  });
  const report = makeReport(findings, target.secrets);
  if (options.json) printResult(JSON.stringify(report));
  else reportLines(report).forEach(printResult);
  return report.ok ? 0 : 1;
}

/** Names of this checkout's migrations, in order. */
export async function migrationFiles(): Promise<string[]> {
  const folder = new URL("../../supabase/migrations/", import.meta.url);
  const files = await Array.fromAsync(Deno.readDir(folder));
  return files.map(({ name }) => name).filter((name) => name.endsWith(".sql")).sort();
}
