/** All checks of a deployment, in the order in which one would look. */
import type { Sql } from "postgres";
import type { Clock } from "shared/runtime/clock.ts";
import { messageOf } from "shared/errors/message.ts";
import { createMauticAdmin, type MauticHook } from "../setup/mautic_admin.ts";
import { findHook } from "../setup/wanted_hook.ts";
import { databaseSkew, judgeSkew, mauticSkew } from "./clocks.ts";
import { judgeCron, readCron } from "./cron.ts";
import {
  checkOutbox,
  judgeExtensions,
  judgeMigrations,
  judgeTriggers,
  readDatabase,
} from "./database.ts";
import { judgeRing, ringAndWait } from "./doorbell.ts";
import { checkEnvironment } from "./environment.ts";
import { fail, type Finding, notChecked, pass } from "./finding.ts";
import { checkDataApi, checkSync } from "./functions.ts";
import { checkMautic, judgeMauticAddress, judgeMauticError } from "./mautic.ts";
import { probe } from "./probe.ts";
import type { Target } from "../target.ts";
import { checkBell, readBell } from "./vault.ts";
import { checkDelivery, judgeHooks } from "./webhook.ts";

export interface ExamineOptions {
  target: Target;
  fetch: typeof fetch;
  clock: Clock;
  /** Opens a session; its caller here ends it. */
  connect: (url: string) => Sql;
  /** Names of the migration files of this checkout. */
  migrations: string[];
}

/** Every finding. Total: what cannot be looked at is a finding, too. */
export async function examine(options: ExamineOptions): Promise<Finding[]> {
  const findings = checkEnvironment(options.target);
  findings.push(...await examineFunctions(options));
  findings.push(...await examineDatabase(options));
  findings.push(...await examineMautic(options));
  return findings;
}

async function examineFunctions({ target, fetch }: ExamineOptions): Promise<Finding[]> {
  const { supabase, functionsUrl, publishableKey } = target;
  if (!supabase.ok || functionsUrl === null) {
    return [notChecked("function.address", "SUPABASE_URL or a secret key is missing")];
  }
  const keys = { secret: supabase.settings.secretKey, publishable: publishableKey };
  return [
    ...await checkDataApi(fetch, supabase.settings.url, keys),
    ...await checkSync(fetch, `${functionsUrl}/mautic-sync`, keys),
  ];
}

async function examineDatabase(options: ExamineOptions): Promise<Finding[]> {
  const { target: { databaseUrl, functionsUrl, bell }, fetch, clock, connect } = options;
  if (databaseUrl === null) {
    return [notChecked("database.reachable", "SUPABASE_DB_URL is not set")];
  }
  const sql = connect(databaseUrl);
  try {
    const findings: Finding[] = [];
    const attempt = async (check: string, look: () => Promise<Finding[]>) => {
      findings.push(...await look().catch((error) => [unreadable(check, error)]));
    };
    const reachable = await sql`select 1`.then(() => null, (error: unknown) => error);
    if (reachable !== null) {
      return [
        fail(
          "database.reachable",
          `no connection: ${messageOf(reachable, 160)}`,
          "Correct SUPABASE_DB_URL (dashboard > Connect > Session pooler), password included.",
        ),
      ];
    }
    findings.push(pass("database.reachable", "a connection was made"));
    await attempt("database.migrations", async () => {
      const facts = await readDatabase(sql);
      return [
        ...judgeExtensions(facts),
        judgeMigrations(facts, options.migrations),
        judgeTriggers(facts),
      ];
    });
    await attempt("clock.database", async () => [
      judgeSkew(
        "clock.database",
        "the database",
        await databaseSkew(sql, clock),
        "leases and token expiry are judged by two clocks",
      ),
    ]);
    await attempt("vault.url", async () => {
      const syncUrl = functionsUrl && `${functionsUrl}/mautic-sync`;
      return await checkBell(await readBell(sql), { fetch, expected: bell.url, syncUrl });
    });
    await attempt("doorbell.round_trip", async () => [judgeRing(await ringAndWait(sql, clock))]);
    await attempt("cron", async () => judgeCron(await readCron(sql)));
    await attempt("outbox", async () => await checkOutbox(sql));
    return findings;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Mautic and its webhook: what can be judged without the database. Total. */
export async function examineMautic(
  options: Pick<ExamineOptions, "target" | "fetch" | "clock">,
): Promise<Finding[]> {
  const { target: { sync, webhook, functionsUrl }, fetch, clock } = options;
  const url = functionsUrl && `${functionsUrl}/mautic-webhook`;
  const findings: Finding[] = [];
  let hooks: MauticHook[] | null = null;
  if (sync.mode === "live") {
    const { settings } = sync;
    const reached = await probe(fetch, {
      method: "GET",
      url: `${settings.baseUrl}/api/contacts`,
      headers: { Accept: "application/json" },
    });
    const skew = mauticSkew(reached, clock.now());
    findings.push(...judgeMauticAddress(settings.baseUrl, reached));
    if (findings.every(({ verdict }) => verdict !== "fail")) {
      const why = "the order of opt-outs and edits is judged by two clocks";
      findings.push(judgeSkew("clock.mautic", "Mautic", skew, why));
      const admin = createMauticAdmin({ settings, fetch, clock });
      findings.push(...await checkMautic(admin, settings, clock.now()));
      if (
        url !== null &&
        findings.every(({ check, verdict }) => check !== "mautic.credentials" || verdict === "pass")
      ) {
        try {
          hooks = await admin.hooks();
        } catch (error) {
          findings.push(judgeMauticError("webhook.exists", error));
        }
      }
    }
  }
  if (url === null || webhook.mode === "invalid") {
    return [...findings, notChecked("webhook.function", "settings are missing")];
  }
  const { settings } = webhook;
  findings.push(
    ...(hooks === null
      ? [notChecked("webhook.exists", "Mautic was not asked")]
      : judgeHooks(hooks, url, settings)),
  );
  const hook = hooks === null ? undefined : findHook(hooks, url);
  findings.push(...await checkDelivery(fetch, url, { hook, settings }));
  return findings;
}

function unreadable(check: string, error: unknown): Finding {
  return fail(
    check,
    messageOf(error, 200),
    "Apply the migrations and use the connection string of role postgres.",
  );
}
