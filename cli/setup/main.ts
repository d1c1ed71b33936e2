/** The program behind `deno task setup`. */
import { z } from "zod";
import { systemClock } from "shared/runtime/clock.ts";
import { describeError } from "shared/errors/codes.ts";
import { messageOf } from "shared/errors/message.ts";
import { answerCode, MauticError } from "shared/mautic/transport/errors.ts";
import type { Env } from "shared/settings/reader.ts";
import { common, program, readOptions, refuse } from "../options.ts";
import { printNote, printResult } from "../print.ts";
import { readTarget, type Target } from "../target.ts";
import { openSession, takesTarget, targetEnv, targetShape } from "../target_options.ts";
import { describeStep } from "./describe.ts";
import type { BasicCredentials } from "./mautic_admin.ts";
import { type GoLive, leftToSay, type Step } from "./plan.ts";
import { carryOut, planSetup, type SetupOptions } from "./run.ts";

const shape = z.object({
  ...targetShape,
  json: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  replace: z.boolean().default(false),
  goLive: z.boolean().default(false),
});
type Options = z.infer<typeof shape>;

const command = takesTarget(program("setup"))
  .addOption(common.json())
  .option("--dry-run", "say what would be done, do nothing")
  .option("--replace", "overwrite Vault secrets that differ")
  .option(
    "--go-live",
    "let the project send to this Mautic, where nobody has said so; else it asks",
  )
  .addHelpText(
    "after",
    "\nWith MAUTIC_ADMIN_USER and MAUTIC_ADMIN_PASSWORD it makes the webhook, too." +
      "\nExit status: 0 what is configured is set up, 1 something is left to do or failed, 2 wrong options\n" +
      "or nothing configured.",
  );

const nothingIsSet =
  "neither Mautic nor a database is configured; set MAUTIC_BASE_URL, MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET for Mautic, " +
  "and SUPABASE_DB_URL (or --db-url), SUPABASE_URL and SUPABASE_SECRET_KEY for Vault, or name files " +
  "that hold them: --env-file";

/** What `--json` prints. */
export interface SetupReport {
  /** Nothing is left to do. */
  ok: boolean;
  dryRun: boolean;
  /** What was not looked at, and why. */
  leftOut: string[];
  steps: StepReport[];
  /** Why it ended before the last step. */
  error: string | null;
}

interface StepReport {
  kind: Step["kind"];
  lines: string[];
  outcome: "done" | "planned" | "by_hand" | "failed";
  /** What a person should know besides. */
  note: string | null;
}

/** Runs set-up; answers the exit status. */
export async function setup(args: readonly string[], env: Env): Promise<number> {
  const options = readOptions(command, args, shape);
  let variables: Env;
  let target: Target;
  try {
    variables = await targetEnv(options, env);
    target = readTarget(variables);
  } catch (error) {
    refuse(command, messageOf(error));
  }
  if (target.databaseUrl === null && target.sync.mode === "demo") refuse(command, nothingIsSet);
  const problems = problemsOf(target);
  const report: SetupReport = {
    ok: false,
    dryRun: options.dryRun,
    leftOut: leftOut(target),
    steps: [],
    error: problems.length === 0 ? null : problems.join("; "),
  };
  problems.forEach(printNote);
  if (problems.length === 0) {
    report.leftOut.forEach(printNote);
    await work(report, target, personOf(variables), options);
  }
  if (options.json) printResult(JSON.stringify(report));
  return report.ok ? 0 : 1;
}

/** Plans and does it; writes into the report what came of it. Total. */
async function work(
  report: SetupReport,
  target: Target,
  person: BasicCredentials | null,
  { json, dryRun, replace, goLive }: Options,
): Promise<void> {
  const sql = target.databaseUrl === null ? null : openSession(target.databaseUrl);
  const options: SetupOptions = {
    target,
    fetch,
    clock: systemClock,
    sql,
    person,
    replace,
    goLive: goLiveOf(goLive, json),
  };
  const tell = (line: string) => {
    if (!json) printResult(line);
  };
  const show = (step: Step) => {
    const lines = describeStep(step).map((line) => withoutSecrets(line, target));
    const [first = "", ...more] = lines;
    [dryRun && step.kind !== "by_hand" ? `would ${first}` : first, ...more].forEach(tell);
    return lines;
  };
  try {
    const steps = await planSetup(options);
    if (steps.length === 0) tell("nothing to do: all is there");
    for (const planned of steps) {
      const described = show(planned);
      const step = dryRun ? planned : agreed(planned, report);
      const lines = step === planned ? described : show(step);
      const done = dryRun ? null : await carryOut(step, options);
      const note = done === null ? null : withoutSecrets(done, target);
      if (note !== null) printNote(note);
      report.steps.push({ kind: step.kind, lines, outcome: outcomeOf(step, dryRun, note), note });
    }
    report.ok = report.steps.every(({ outcome }) => outcome === "done" || outcome === "planned");
  } catch (error) {
    const remedy = error instanceof MauticError ? describeError(answerCode(error)).remedy : "";
    report.error = withoutSecrets(`${messageOf(error)} ${remedy}`.trim(), target);
    printNote(report.error);
  } finally {
    await sql?.end({ timeout: 1 });
  }
}

/** Somebody who reads the numbers and answers is needed, or the word of whoever called. */
function goLiveOf(isSaid: boolean, json: boolean): GoLive {
  if (isSaid) return "said";
  return !json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? "ask" : "leave";
}

/** The step, or what is left to a person where he does not agree to it, or a step before it failed. */
function agreed(step: Step, { steps }: SetupReport): Step {
  if (step.kind !== "go_live") return step;
  if (steps.some(({ outcome }) => outcome === "failed")) return leftToSay(step);
  return !step.asks || confirm("Shall it?") ? step : leftToSay(step);
}

function outcomeOf(step: Step, dryRun: boolean, note: string | null): StepReport["outcome"] {
  if (step.kind === "by_hand") return "by_hand";
  if (dryRun) return "planned";
  return note === null ? "done" : "failed";
}

function leftOut({ databaseUrl, sync }: Target): string[] {
  return [
    ...(databaseUrl === null
      ? [
        "Vault, contact fields and going live are left out: SUPABASE_DB_URL (or --db-url) is not given.",
      ]
      : []),
    ...(sync.mode === "demo"
      ? [
        "Mautic is left out: MAUTIC_BASE_URL, MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET are not set.",
      ]
      : []),
  ];
}

function problemsOf({ sync, webhook }: Target): string[] {
  return [
    ...(sync.mode === "invalid" ? sync.problems : []),
    ...(webhook.mode === "invalid" ? webhook.problems : []),
  ].map(({ variable, message }) => `${variable} ${message}`);
}

function personOf(env: Env): BasicCredentials | null {
  const user = env["MAUTIC_ADMIN_USER"]?.trim();
  const password = env["MAUTIC_ADMIN_PASSWORD"];
  return user && password ? { user, password } : null;
}

function withoutSecrets(text: string, { secrets }: Target): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
}
