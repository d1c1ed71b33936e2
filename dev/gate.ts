/**
 * `deno task ok`: the one gate. Format, lint, types, the tests, and once more what runs on the
 * hosted edge runtime, with a Deno of its level, and what runs in the database, on Postgres 15. Two
 * steps run at a time, where there are two cores: most of them wait more than they work. The last
 * line is `N passed, N failed`: tests, any other step that failed or did not end in time, and any
 * place where a secret made for the tests turned up in what was printed, in a log of Postgres or in a
 * row. What failed is named once more right above it.
 *
 * `--quick` leaves out all that needs a database: for the minutes between two gates, in place of none.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { program, readOptions } from "../cli/options.ts";
import { printResult } from "../cli/print.ts";
import { hostedDenoProgram } from "../local/process/npm_binaries.ts";
import { runStep, runTests } from "./gate/gate_step.ts";
import { runSideBySide, type Step } from "./gate/side_by_side.ts";
import { useOwnTemporaryFolder } from "./temporary.ts";

const { quick } = readOptions(
  program("ok").option(
    "--quick",
    "only format, lint, types and the tests without a database: no replacement for the gate",
  ),
  Deno.args,
  z.object({ quick: z.boolean().default(false) }),
);

const temporary = await useOwnTemporaryFolder();

const cwd = fileURLToPath(new URL("..", import.meta.url));
const code = ["cli", "dev", "local", "shared", "supabase/functions", "tests"];
/** Pure code, on any Deno: tests named `…_unit_test.ts`. `…_sql_test.ts` are about the database alone. */
const unitTests = "tests/**/*_unit_test.ts";
/** Tests that start no Postgres. */
const withoutDatabase = [unitTests, "tests/mautic", "tests/emulator", "tests/structure"];
/** A sixth of all tests, beside the others. */
const ofTables = "tests/attach";
/** What is in the database, and what reads and writes most of it. */
const databaseTests = [
  ...["tests/**/*_sql_test.ts", "tests/consent", "tests/operate"],
  ...["tests/security/catalogue_test.ts", "tests/security/roles_test.ts"],
];

/** What a step runs, and the time it has: several times what it takes, so that only a hang ends it. */
interface Plan {
  minutes: number;
  program?: string;
  env?: Record<string, string>;
}

function planned(run: typeof runStep, title: string, plan: Plan, args: string[]): Step {
  const { minutes, program = Deno.execPath(), env = {} } = plan;
  return {
    title,
    run: (write) => {
      const within = AbortSignal.timeout(minutes * 60_000);
      return run({ title, program, args, cwd, env, within, write });
    },
  };
}

const step = (title: string, plan: Plan, ...args: string[]) => planned(runStep, title, plan, args);
const tests = (title: string, plan: Plan, ...args: string[]) =>
  planned(runTests, title, plan, args);

/** A stretch of the 200 seeds, in one process: beside it there is room for another step. */
function simulation(seed: number, seeds: number): Step {
  return step(
    `Simulation: ${seeds} seeds from ${seed}`,
    { minutes: 30 },
    ...["run", "-A", "--no-check", "tests/simulation/main.ts"],
    ...["--seeds", String(seeds), "--seed", String(seed)],
  );
}

const staticSteps = [
  step("Format", { minutes: 5 }, "fmt", "--check"),
  step("Lint", { minutes: 5 }, "lint"),
  step("Types", { minutes: 10 }, "check", ...code),
];

async function fullSteps(): Promise<Step[]> {
  return [
    // The longest first: the others find their place beside it.
    tests("Tests", { minutes: 60 }, `--ignore=${ofTables}`, "tests"),
    ...staticSteps,
    tests("Tests of attached tables", { minutes: 30 }, ofTables),
    simulation(1000, 100),
    simulation(1100, 100),
    tests(
      "Database tests on Postgres 15",
      { minutes: 20, env: { LEAD_SYNC_TEST_POSTGRES: "15" } },
      ...["--no-check", ...databaseTests],
    ),
    tests(
      "Unit tests on the hosted runtime's level",
      { minutes: 10, program: await hostedDenoProgram() },
      ...["--no-lock", "--no-check", unitTests],
    ),
  ];
}

function print(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

const steps = quick
  ? [...staticSteps, tests("Tests without a database", { minutes: 10 }, ...withoutDatabase)]
  : await fullSteps();
const lanes = Math.min(2, navigator.hardwareConcurrency);
const outcomes = await runSideBySide(steps, { lanes, print });
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failures = outcomes.flatMap((outcome) => outcome.failures);
for (const failure of failures) printResult(`\nFAILED ${failure}`);
if (quick) printResult("\nThe quick look only: `deno task ok` is the gate.");
await temporary.remove();
printResult(`\n${passed} passed, ${failures.length} failed`);
Deno.exit(failures.length === 0 ? 0 : 1);
