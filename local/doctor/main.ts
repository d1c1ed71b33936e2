/** The program behind `deno task doctor`. */
import { parseArgs } from "node:util";
import { systemClock } from "shared/runtime/clock.ts";
import { messageOf } from "shared/errors/message.ts";
import type { Env } from "shared/settings/reader.ts";
import { printNote, printResult } from "../print.ts";
import { examine } from "./examine.ts";
import { makeReport, reportLines } from "./report.ts";
import { readTarget } from "./target.ts";
import { openSession, targetEnv, targetOptions, targetUsage } from "./target_options.ts";

const usage = [
  "deno task doctor [options]: says what is wrong with a deployment and what to do",
  ...targetUsage,
  "  --json            one JSON object instead of lines",
  "Exit status: 0 nothing fails, 1 something does, 2 wrong options.",
];

/** Runs the doctor; answers the exit status. */
export async function doctor(args: string[], env: Env): Promise<number> {
  let options;
  try {
    options = parseArgs({
      args,
      options: { ...targetOptions, json: { type: "boolean" }, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    [messageOf(error), ...usage].forEach(printNote);
    return 2;
  }
  if (options.help) {
    usage.forEach(printResult);
    return 0;
  }
  let target;
  try {
    target = readTarget(await targetEnv(options, env));
  } catch (error) {
    printNote(messageOf(error));
    return 2;
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
