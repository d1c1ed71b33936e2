/**
 * `deno task simulate --seeds N [--seed S] [--jobs J]`: N worlds from seed S on, in J processes; a
 * failing one prints its history and how to run it again.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printResult } from "../../cli/print.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    history: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
const count = Number(values.seeds);
const jobs = Math.min(Number(values.jobs), count);
if (![first, count, jobs].every(Number.isSafeInteger) || count < 1 || jobs < 1) {
  printResult("Usage: deno task simulate --seeds <how many> [--seed <first>] [--jobs <processes>]");
  Deno.exit(2);
}

/** Runs one stretch of seeds here; resolves to whether all of them hold. */
async function runHere(): Promise<boolean> {
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const startedAt = Date.now();
    const result = await simulate(seed);
    const isBad = result.violations.length > 0;
    printResult(
      `seed ${seed} ${isBad ? "FAILED" : "ok"} ${
        result.hash.slice(0, 12)
      } requests ${result.requests} ` +
        `kills ${result.kills} races ${result.races} drained after ${result.drainedAfterSeconds} s ` +
        `(${Date.now() - startedAt} ms)`,
    );
    if (isBad || values.history) {
      for (const line of result.history) printResult(`  ${line}`);
      for (const violation of result.violations) printResult(`  VIOLATION ${violation}`);
      if (isBad) printResult(`  replay: deno task simulate --seed ${seed}`);
    }
    if (isBad) failed++;
  }
  printResult(`${count - failed} of ${count} seeds hold`);
  return failed === 0;
}

/** Shares the seeds out to processes, one stretch each. */
async function runInProcesses(): Promise<boolean> {
  const share = Math.ceil(count / jobs);
  const starts = Array.from({ length: jobs }, (_, job) => first + job * share);
  const outcomes = await Promise.all(
    starts.filter((start) => start < first + count).map(async (start) => {
      const seeds = Math.min(share, first + count - start);
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          fileURLToPath(import.meta.url),
          "--seed",
          String(start),
          "--seeds",
          String(seeds),
          ...(values.history ? ["--history"] : []),
        ],
        stdin: "null",
      }).spawn().status;
      return success;
    }),
  );
  return outcomes.every((success) => success);
}

Deno.exit(await (jobs > 1 ? runInProcesses() : runHere()) ? 0 : 1);
