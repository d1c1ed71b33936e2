/**
 * `deno task ok`: the one gate. Format, lint, types, the tests, and once more what runs on the
 * hosted edge runtime, with a Deno of its level, and what runs in the database, on Postgres 15. The
 * last line is `N passed, N failed`: tests, any other step that failed or did not end in time, and any
 * place where a secret made for the tests turned up in what was printed, in a log of Postgres or in a
 * row. What failed is named once more right above it.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { program, readOptions } from "../cli/options.ts";
import { runStep, runTests } from "./gate/gate_step.ts";
import { hostedDenoProgram } from "../local/process/npm_binaries.ts";
import { printResult } from "../cli/print.ts";
import type { Outcome } from "./gate/test_report.ts";

readOptions(program("ok"), Deno.args, z.object({}));

const cwd = fileURLToPath(new URL("..", import.meta.url));
const code = ["cli", "dev", "local", "shared", "supabase/functions", "tests"];

/** What a step runs, and the time it has: several times what it takes, so that only a hang ends it. */
interface Plan {
  minutes: number;
  program?: string;
  env?: Record<string, string>;
}

type Run = typeof runStep;

async function perform(run: Run, title: string, plan: Plan, args: string[]): Promise<Outcome> {
  printResult(`\n== ${title}`);
  const { minutes, program = Deno.execPath(), env = {} } = plan;
  const within = AbortSignal.timeout(minutes * 60_000);
  return await run({ title, program, args, cwd, env, within, write: writeAll });
}

const step = (title: string, plan: Plan, ...args: string[]) => perform(runStep, title, plan, args);
const tests = (title: string, plan: Plan, ...args: string[]) =>
  perform(runTests, title, plan, args);

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

const outcomes = [
  await step("Format", { minutes: 5 }, "fmt", "--check"),
  await step("Lint", { minutes: 5 }, "lint"),
  await step("Types", { minutes: 10 }, "check", ...code),
  await tests("Tests", { minutes: 40 }, "tests"),
  await step(
    "Simulation: 200 seeds",
    { minutes: 20 },
    ...["run", "-A", "--no-check", "tests/simulation/main.ts"],
    ...["--seeds", "200", "--seed", "1000", "--jobs", "2"],
  ),
  await tests(
    "Unit tests on the hosted runtime's level",
    { minutes: 10, program: await hostedDenoProgram() },
    ...["--no-lock", "--no-check", "tests/unit"],
  ),
  await tests(
    "Database tests on Postgres 15",
    { minutes: 20, env: { LEAD_SYNC_TEST_POSTGRES: "15" } },
    ...["--no-check", "tests/database", "tests/webhook", "tests/operations"],
    ...["tests/security/catalogue_test.ts", "tests/security/roles_test.ts"],
  ),
];
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failures = outcomes.flatMap((outcome) => outcome.failures);
for (const failure of failures) printResult(`\nFAILED ${failure}`);
printResult(`\n${passed} passed, ${failures.length} failed`);
Deno.exit(failures.length === 0 ? 0 : 1);
