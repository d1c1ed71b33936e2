/** Is the environment complete? */
import { fail, type Finding, pass, warn } from "./finding.ts";
import { judgeSuperseded } from "./superseded.ts";
import type { Target } from "../target.ts";

/** One finding for each group of variables. */
export function checkEnvironment(target: Target): Finding[] {
  const { supabase, sync, webhook } = target;
  return [
    supabase.ok
      ? pass("env.supabase", "SUPABASE_URL and a secret key are set")
      : fail("env.supabase", listed(supabase.problems), "Set them, or name a file: --env-file."),
    target.publishableKey === null
      ? warn(
        "env.publishable_key",
        "SUPABASE_PUBLISHABLE_KEY is not set",
        "Set it, so that the doctor can see that it opens nothing.",
      )
      : pass("env.publishable_key", "SUPABASE_PUBLISHABLE_KEY is set"),
    target.databaseUrl === null
      ? fail(
        "env.database",
        "SUPABASE_DB_URL is not set",
        "Set it to the connection string of role postgres (dashboard > Connect > Session pooler).",
      )
      : pass("env.database", "SUPABASE_DB_URL is set"),
    environmentOfMautic(sync),
    ...judgeSuperseded("env.superseded_settings", sync.superseded),
    environmentOfWebhook(webhook),
  ];
}

function environmentOfMautic(sync: Target["sync"]): Finding {
  switch (sync.mode) {
    case "live":
      return pass("env.mautic", "the MAUTIC_* settings are complete");
    case "invalid":
      return fail(
        "env.mautic",
        listed(sync.problems),
        "Correct them, here and in the function's secrets.",
      );
    case "demo":
      return warn(
        "env.mautic",
        "no Mautic settings: the functions would be in demo mode, and the queue waits",
        "Set MAUTIC_BASE_URL, MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET.",
      );
  }
}

function environmentOfWebhook(webhook: Target["webhook"]): Finding {
  switch (webhook.mode) {
    case "ready":
      return pass("env.webhook", "the webhook has a secret");
    case "invalid":
      return fail("env.webhook", listed(webhook.problems), "Correct them.");
    case "unset":
      return fail(
        "env.webhook",
        "neither MAUTIC_WEBHOOK_SECRET nor MAUTIC_WEBHOOK_SIGNING_KEY is set: every delivery is refused",
        "Set MAUTIC_WEBHOOK_SECRET (openssl rand -hex 24), in the function's secrets and in the webhook's address.",
      );
  }
}

function listed(problems: { variable: string; message: string }[]): string {
  return problems.map(({ variable, message }) => `${variable} ${message}`).join("; ");
}
