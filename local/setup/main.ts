/** The program behind `deno task setup`. */
import { parseArgs } from "node:util";
import { systemClock } from "shared/runtime/clock.ts";
import { messageOf } from "shared/errors/message.ts";
import { answerCode, MauticError } from "shared/mautic/transport/errors.ts";
import { describeError } from "shared/errors/codes.ts";
import type { Env } from "shared/settings/reader.ts";
import { readTarget, type Target } from "../doctor/target.ts";
import { openSession, targetEnv, targetOptions, targetUsage } from "../doctor/target_options.ts";
import { printNote, printResult } from "../print.ts";
import { describeStep } from "./describe.ts";
import type { BasicCredentials } from "./mautic_admin.ts";
import { carryOut, planSetup, type SetupOptions } from "./run.ts";

const usage = [
  "deno task setup [options]: makes what is missing in Mautic and in Vault",
  ...targetUsage,
  "  --dry-run         say what would be done, do nothing",
  "  --replace         overwrite Vault secrets that differ",
  "With MAUTIC_ADMIN_USER and MAUTIC_ADMIN_PASSWORD it makes the webhook, too.",
  "Exit status: 0 all is set up, 1 something is left to do or failed, 2 wrong options.",
];

/** Runs set-up; answers the exit status. */
export async function setup(args: string[], env: Env): Promise<number> {
  let given;
  let variables;
  let target;
  try {
    given = parseArgs({
      args,
      options: {
        ...targetOptions,
        "dry-run": { type: "boolean" },
        replace: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
    if (given.help) {
      usage.forEach(printResult);
      return 0;
    }
    variables = await targetEnv(given, env);
    target = readTarget(variables);
  } catch (error) {
    [messageOf(error), ...usage].forEach(printNote);
    return 2;
  }
  const problems = problemsOf(target);
  if (problems.length > 0) {
    problems.forEach(printNote);
    return 1;
  }
  const sql = target.databaseUrl === null ? null : openSession(target.databaseUrl);
  if (sql === null) printNote("SUPABASE_DB_URL is not set: Vault is left out.");
  if (target.sync.mode === "demo") printNote("No Mautic settings: Mautic is left out.");
  try {
    return await work({
      target,
      fetch,
      clock: systemClock,
      sql,
      person: personOf(variables),
      replace: given.replace ?? false,
    }, given["dry-run"] ?? false);
  } catch (error) {
    const remedy = error instanceof MauticError ? describeError(answerCode(error)).remedy : "";
    printNote(withoutSecrets(`${messageOf(error)} ${remedy}`.trim(), target));
    return 1;
  } finally {
    await sql?.end({ timeout: 1 });
  }
}

async function work(options: SetupOptions, dryRun: boolean): Promise<number> {
  const steps = await planSetup(options);
  if (steps.length === 0) {
    printResult("nothing to do: all is there");
    return 0;
  }
  let left = 0;
  for (const step of steps) {
    const lines = describeStep(step).map((line) => withoutSecrets(line, options.target));
    if (dryRun && step.kind !== "by_hand") lines[0] = `would ${lines[0]}`;
    lines.forEach(printResult);
    if (step.kind === "by_hand") left++;
    if (dryRun) continue;
    const note = await carryOut(step, options);
    if (note === null) continue;
    printNote(note);
    left++;
  }
  return left === 0 ? 0 : 1;
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
