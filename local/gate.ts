/**
 * `deno task ok`: the one gate. Format, lint, types, the tests, and once more what runs on the
 * hosted edge runtime, with a Deno of its level, and what runs in the database, on Postgres 15. The
 * last line is `N passed, N failed`: tests, any other step that failed, and any place where a secret
 * made for the tests turned up in what they printed or in a log of Postgres. What failed is named
 * once more right above it.
 */
import { fileURLToPath } from "node:url";
import { denoEnvironment } from "./deno_environment.ts";
import { hostedDenoProgram } from "./npm_binaries.ts";
import { printResult } from "./print.ts";
import { type Outcome, readReport } from "./test_report.ts";
import { runWatched } from "./watched_tests.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const code = ["local", "shared", "supabase/functions", "tests"];

async function run(program: string, args: string[]): Promise<boolean> {
  const env = denoEnvironment();
  const child = new Deno.Command(program, { args, cwd: root, env, stdin: "null" }).spawn();
  return (await child.status).success;
}

/** A step that is no test counts only when it fails. */
async function step(title: string, ...args: string[]): Promise<Outcome> {
  printResult(`\n== ${title}`);
  return { passed: 0, failures: await run(Deno.execPath(), args) ? [] : [title] };
}

async function tests(
  title: string,
  program: string,
  args: string[],
  variables: Record<string, string> = {},
): Promise<Outcome> {
  printResult(`\n== ${title}`);
  const report = await Deno.makeTempFile({ prefix: "lead-sync-", suffix: ".xml" });
  try {
    const all = ["test", "-A", `--junit-path=${report}`, ...args];
    const { success, leaks } = await runWatched({
      program,
      args: all,
      cwd: root,
      env: variables,
      write: (bytes) => writeAll(bytes),
    });
    const { passed, failures } = readReport(await Deno.readTextFile(report));
    // An error outside of any test fails the run, and is in no report.
    if (!success && failures.length === 0) failures.push("an error outside of any test");
    failures.push(...leaks.map((leak) => `a secret of the tests is in ${leak}`));
    return { passed, failures: failures.map((failure) => `${title}: ${failure}`) };
  } finally {
    await Deno.remove(report);
  }
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

const outcomes = [
  await step("Format", "fmt", "--check"),
  await step("Lint", "lint"),
  await step("Types", "check", ...code),
  await tests("Tests", Deno.execPath(), ["tests"]),
  await step(
    "Simulation: 200 seeds",
    ...["run", "-A", "--no-check", "tests/simulation/main.ts"],
    ...["--seeds", "200", "--seed", "1000", "--jobs", "2"],
  ),
  await tests(
    "Unit tests on the hosted runtime's level",
    await hostedDenoProgram(),
    ["--no-lock", "--no-check", "tests/unit"],
  ),
  await tests(
    "Database tests on Postgres 15",
    Deno.execPath(),
    ["--no-check", "tests/database", "tests/webhook", "tests/operations"]
      .concat("tests/security/catalogue_test.ts", "tests/security/roles_test.ts"),
    { LEAD_SYNC_TEST_POSTGRES: "15" },
  ),
];
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failures = outcomes.flatMap((outcome) => outcome.failures);
for (const failure of failures) printResult(`\nFAILED ${failure}`);
printResult(`\n${passed} passed, ${failures.length} failed`);
Deno.exit(failures.length === 0 ? 0 : 1);
