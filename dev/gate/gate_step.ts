/** One step of the gate: a program, watched, within a time. */
import { inFlight, type Outcome, readReport } from "./test_report.ts";
import { runWatched } from "./watched_tests.ts";

export interface StepOptions {
  title: string;
  program: string;
  args: string[];
  cwd: string;
  env?: Record<string, string>;
  /** Aborted when the step has had its time: it and all that it started is ended, and has failed. */
  within: AbortSignal;
  /** Takes what is printed, as it comes. */
  write: (bytes: Uint8Array) => void;
}

/** A step that is no test counts only when it fails. */
export async function runStep(options: StepOptions): Promise<Outcome> {
  const { isBroken, complaints } = await run(options);
  if (isBroken) complaints.push("failed");
  return { passed: 0, failures: complaints.map((each) => `${options.title}: ${each}`) };
}

/** A step of tests: `deno test` with these arguments. Each test counts. */
export async function runTests(options: StepOptions): Promise<Outcome> {
  const report = await Deno.makeTempFile({ prefix: "lead-sync-", suffix: ".xml" });
  try {
    const args = ["test", "-A", `--junit-path=${report}`, ...options.args];
    const { isBroken, complaints } = await run({ ...options, args });
    const { passed, failures } = readReport(await Deno.readTextFile(report));
    // An error outside of any test fails the run, and is in no report.
    if (isBroken && failures.length === 0) failures.push("an error outside of any test");
    const all = [...failures, ...complaints].map((each) => `${options.title}: ${each}`);
    return { passed, failures: all };
  } finally {
    await Deno.remove(report);
  }
}

/** `isBroken`: it failed by itself. What else is to be said against it are complaints. */
async function run(
  options: StepOptions,
): Promise<{ isBroken: boolean; complaints: string[] }> {
  const { success, leaks, printed } = await runWatched({ env: {}, ...options });
  const complaints = leaks.map((leak) => `a secret of the tests is in ${leak}`);
  const isLate = options.within.aborted;
  if (isLate) {
    const test = inFlight(printed);
    complaints.push(`did not end in time${test === undefined ? "" : `, last in flight: ${test}`}`);
  }
  return { isBroken: !success && !isLate, complaints };
}
