/** Looks at what is there, plans, and does it. */
import type { Sql } from "postgres";
import type { Clock } from "shared/runtime/clock.ts";
import { projectOf } from "shared/settings/supabase.ts";
import { readBell } from "../doctor/vault.ts";
import { readDeployments, readWaiting } from "../live.ts";
import type { Target } from "../target.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { writeVaultSecrets } from "../vault_secrets.ts";
import {
  type AdminOptions,
  type BasicCredentials,
  createHook,
  createMauticAdmin,
  editHook,
} from "./mautic_admin.ts";
import {
  type GoLive,
  planBell,
  planFields,
  planGoLive,
  planHook,
  type Step,
  unknownHook,
} from "./plan.ts";
import { readMapped, remapOf, wantedFields } from "./wanted_fields.ts";

export interface SetupOptions {
  target: Target;
  fetch: typeof fetch;
  clock: Clock;
  /** A session of role postgres; null: Vault and the contact fields are left out. */
  sql: Sql | null;
  /** Somebody who may log in to Mautic; null: the webhook is left to a person. */
  person: BasicCredentials | null;
  /** Overwrite Vault secrets that differ. */
  replace: boolean;
  goLive: GoLive;
}

/** What is to be done now. Errors: MauticError, what postgres.js raises. */
export async function planSetup(options: SetupOptions): Promise<Step[]> {
  const { target, sql, person, replace, goLive } = options;
  const steps = sql === null ? [] : planBell(await readBell(sql), target.bell, replace);
  const mautic = adminOptions(options);
  if (!mautic) return steps;
  const admin = createMauticAdmin(mautic);
  if (sql !== null) {
    const wanted = wantedFields(await readMapped(sql));
    steps.push(...planFields(wanted, await admin.fields(), mautic.settings));
  }
  if (target.functionsUrl === null) steps.push(unknownHook);
  else if (target.webhook.mode !== "invalid") {
    const url = `${target.functionsUrl}/mautic-webhook`;
    steps.push(...planHook(await admin.hooks(), url, target.webhook.settings, person !== null));
  }
  // At last: what leaves finds its fields, and what comes back its way.
  if (sql !== null && target.functionsUrl !== null) {
    const pair = { project: projectOf(target.functionsUrl), origin: mautic.settings.baseUrl };
    const known = await readDeployments(sql);
    steps.push(...planGoLive(pair, known, await readWaiting(sql), goLive));
  }
  return steps;
}

/** Does one step; answers what a person should know besides. Errors as {@link planSetup}. */
export async function carryOut(step: Step, options: SetupOptions): Promise<string | null> {
  const { sql, person } = options;
  const mautic = adminOptions(options);
  switch (step.kind) {
    case "by_hand":
      return null;
    case "write_secret":
      if (sql !== null) await writeVaultSecrets(sql, { [step.name]: step.value });
      return null;
    case "go_live": {
      const { project, origin } = step.pair;
      if (sql !== null) await sql`select mautic.go_live(${project}, ${origin})`;
      return null;
    }
    case "create_field": {
      if (!mautic) return null;
      const alias = await createMauticAdmin(mautic).createField(step.field);
      return alias === step.field.alias
        ? null
        : `Mautic named it ${alias}: ${step.field.alias} is a reserved word. Map another alias: ` +
          remapOf(step.field.alias);
    }
    case "create_hook":
      if (!mautic || !person) return null;
      return await asPerson(() => createHook(step.hook, person, mautic));
    case "edit_hook":
      if (!mautic || !person) return null;
      return await asPerson(() => editHook(step.id, step.changes, person, mautic));
  }
}

async function asPerson(act: () => Promise<unknown>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (!(error instanceof MauticError)) throw error;
    if (error.code !== "forbidden" && error.code !== "unauthorized") throw error;
    return `Mautic refuses MAUTIC_ADMIN_USER: ${error.message} Switch on HTTP basic auth ` +
      "(Settings > Configuration > API Settings) and check name and password; or unset both and " +
      "run set-up again: it says what to enter by hand.";
  }
}

function adminOptions({ target, fetch, clock }: SetupOptions): AdminOptions | undefined {
  return target.sync.mode === "live" ? { settings: target.sync.settings, fetch, clock } : undefined;
}
