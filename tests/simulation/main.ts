/**
 * `deno task simulate --seeds N [--seed S] [--jobs J]`: N worlds from seed S on, in J processes; a
 * failing one prints its history and how to run it again.
 */
import { fileURLToPath } from "node:url";
import { Option } from "commander";
import { z } from "zod";
import { common, numberBetween, program, readOptions } from "../../cli/options.ts";
import { printResult } from "../../cli/print.ts";
import { useOwnTemporaryFolder } from "../../dev/temporary.ts";
import { simulate, type SimulationResult } from "./simulate.ts";

const count = numberBetween(1, 1_000_000, { whole: true });
const anySeed = numberBetween(0, Number.MAX_SAFE_INTEGER, { whole: true });
const command = program("simulate")
  .option("--seeds <n>", "how many histories; 1 if not given", count)
  .option("--seed <n>", "the first of them; 1 if not given", anySeed)
  .option("--jobs <n>", "processes that share them out; 1 if not given", count)
  .option("--history", "print what happened, also where all holds")
  .addOption(common.json())
  // How the processes of --jobs are told that the sum is not theirs to print.
  .addOption(new Option("--part").hideHelp())
  .addHelpText("after", "\nExit status: 0 every seed holds, 1 one does not, 2 wrong options.");

const { seeds, seed: first, jobs, history: showsHistory, json, part } = readOptions(
  command,
  Deno.args,
  z.object({
    seeds: z.number().default(1),
    seed: z.number().default(1),
    jobs: z.number().default(1),
    history: z.boolean().default(false),
    json: z.boolean().default(false),
    part: z.boolean().default(false),
  }),
);

/** What is printed of a seed; its history where it fails or is asked for. */
const seedReport = z.object({
  seed: z.number(),
  ok: z.boolean(),
  hash: z.string(),
  requests: z.number(),
  kills: z.number(),
  races: z.number(),
  drainedAfterSeconds: z.number(),
  ms: z.number(),
  violations: z.array(z.string()),
  history: z.array(z.string()),
});
type SeedReport = z.infer<typeof seedReport>;

/** What `--json` prints. */
const jsonReport = z.object({ ok: z.boolean(), seeds: z.array(seedReport) });

function reportOf(result: SimulationResult, ms: number): SeedReport {
  const ok = result.violations.length === 0;
  return { ...result, ok, ms, history: ok && !showsHistory ? [] : result.history };
}

function print(report: SeedReport): void {
  printResult(
    `seed ${report.seed} ${report.ok ? "ok" : "FAILED"} ${report.hash.slice(0, 12)} ` +
      `requests ${report.requests} kills ${report.kills} races ${report.races} ` +
      `drained after ${report.drainedAfterSeconds} s (${report.ms} ms)`,
  );
  for (const line of report.history) printResult(`  ${line}`);
  for (const violation of report.violations) printResult(`  VIOLATION ${violation}`);
  if (!report.ok) printResult(`  replay: deno task simulate --seed ${report.seed}`);
}

/** Runs one stretch of seeds here. */
async function runHere(): Promise<SeedReport[]> {
  const reports: SeedReport[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const startedAt = Date.now();
    const report = reportOf(await simulate(seed), Date.now() - startedAt);
    reports.push(report);
    if (!json) print(report);
  }
  const held = reports.filter(({ ok }) => ok).length;
  if (!json && !part) printResult(`${held} of ${seeds} seeds hold`);
  return reports;
}

/** Shares the seeds out to processes, one stretch each; they print for themselves without `--json`. */
async function runInProcesses(): Promise<boolean> {
  const temporary = await useOwnTemporaryFolder();
  const share = Math.ceil(seeds / jobs);
  const starts = Array.from({ length: jobs }, (_, job) => first + job * share);
  const stretches = await Promise.all(
    starts.filter((start) => start < first + seeds).map(async (start) => {
      const length = Math.min(share, first + seeds - start);
      const output = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--no-check", fileURLToPath(import.meta.url), "--part"],
          ...["--seed", String(start), "--seeds", String(length)],
          ...(showsHistory ? ["--history"] : []),
          ...(json ? ["--json"] : []),
        ],
        stdin: "null",
        stdout: json ? "piped" : "inherit",
        stderr: "inherit",
      }).output();
      // Where it is inherited there is none to read.
      const printed = json ? new TextDecoder().decode(output.stdout) : null;
      return { success: output.success, printed };
    }),
  );
  await temporary.remove();
  const ok = stretches.every(({ success }) => success);
  if (json) {
    const reports = stretches.flatMap(({ printed }) =>
      printed === null || printed === "" ? [] : jsonReport.parse(JSON.parse(printed)).seeds
    );
    printResult(JSON.stringify({ ok, seeds: reports }));
  } else {
    printResult(ok ? `${seeds} of ${seeds} seeds hold` : `not all of ${seeds} seeds hold`);
  }
  return ok;
}

async function run(): Promise<boolean> {
  if (Math.min(jobs, seeds) > 1) return await runInProcesses();
  const reports = await runHere();
  const ok = reports.every((report) => report.ok);
  if (json) printResult(JSON.stringify({ ok, seeds: reports }));
  return ok;
}

Deno.exit(await run() ? 0 : 1);
