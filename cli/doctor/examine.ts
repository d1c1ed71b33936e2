/** All checks of a deployment, in the order in which one would look. */
import type { Sql } from "postgres";
import type { Clock } from "shared/runtime/clock.ts";
import { messageOf } from "shared/errors/message.ts";
import { createMauticAdmin, type MauticHook } from "../setup/mautic_admin.ts";
import { readMapped, wantedFields } from "../setup/wanted_fields.ts";
import { findHook } from "../setup/wanted_hook.ts";
import { readDeployments, readWaiting } from "../live.ts";
import { readShape } from "../shape.ts";
import { databaseSkew, judgeSkew, mauticSkew } from "./clocks.ts";
import { judgeCron, readCron } from "./cron.ts";
import {
  checkOutbox,
  judgeExtensions,
  judgeMigrations,
  judgeShape,
  readDatabase,
} from "./database.ts";
import { judgeRing, ringAndWait } from "./doorbell.ts";
import { checkEnvironment } from "./environment.ts";
import { fail, type Finding, notChecked, pass } from "./finding.ts";
import { checkDataApi, checkSync, type ToldSettings } from "./functions.ts";
import { judgeLive } from "./live.ts";
import { checkMautic, type Expectations, judgeMauticAddress, judgeMauticError } from "./mautic.ts";
import { probe } from "./probe.ts";
import { judgeScore, readScores } from "./score.ts";
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
  const functions = await examineFunctions(options);
  const { told } = functions;
  const database = await examineDatabase(options, told);
  const { mapping } = database;
  return [
    ...checkEnvironment(options.target),
    ...functions.findings,
    ...database.findings,
    ...await examineMautic(options, { told, mapping }),
  ];
}

async function examineFunctions(
  { target, fetch }: ExamineOptions,
): Promise<{ findings: Finding[]; told: ToldSettings | null }> {
  const { supabase, functionsUrl, publishableKey } = target;
  if (!supabase.ok || functionsUrl === null) {
    const because = "SUPABASE_URL or a secret key is missing";
    return { findings: [notChecked("function.address", because)], told: null };
  }
  const keys = { secret: supabase.settings.secretKey, publishable: publishableKey };
  const dataApi = await checkDataApi(fetch, supabase.settings.url, keys);
  const { findings, told } = await checkSync(fetch, `${functionsUrl}/mautic-sync`, keys);
  return { findings: [...dataApi, ...findings], told };
}

async function examineDatabase(
  options: ExamineOptions,
  told: ToldSettings | null,
): Promise<{ findings: Finding[]; mapping: Expectations["mapping"] }> {
  const { target: { databaseUrl, functionsUrl, bell, sync }, fetch, clock, connect } = options;
  if (databaseUrl === null) {
    const unknown = "SUPABASE_DB_URL is not set";
    return { findings: [notChecked("database.reachable", unknown)], mapping: { unknown } };
  }
  const sql = connect(databaseUrl);
  try {
    const findings: Finding[] = [];
    let mapping: Expectations["mapping"] = { unknown: "the mapping could not be read" };
    const attempt = async (check: string, look: () => Promise<Finding[]>) => {
      findings.push(...await look().catch((error) => [unreadable(check, error)]));
    };
    const reachable = await sql`select 1`.then(() => null, (error: unknown) => error);
    if (reachable !== null) {
      const unreachable = fail(
        "database.reachable",
        `no connection: ${messageOf(reachable, 160)}`,
        "Correct SUPABASE_DB_URL (dashboard > Connect > Session pooler), password included.",
      );
      return { findings: [unreachable], mapping };
    }
    findings.push(pass("database.reachable", "a connection was made"));
    await attempt("database.migrations", async () => {
      const facts = await readDatabase(sql);
      return [...judgeExtensions(facts), judgeMigrations(facts, options.migrations)];
    });
    await attempt("database.shape", async () => judgeShape(await readShape(sql)));
    await attempt("database.field_map", async () => {
      const mapped = await readMapped(sql);
      mapping = { mapped };
      const { length } = wantedFields(mapped);
      return [pass("database.field_map", `${length} custom fields are mapped`)];
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
    await attempt("outbox.live", async () => {
      const pair = told && { project: told.project, origin: told.baseUrl };
      return [judgeLive(pair, await readDeployments(sql), (await readWaiting(sql)).queued)];
    });
    const enrollment = told?.enrollment ?? (sync.mode === "live" ? sync.settings.enrollment : null);
    if (enrollment !== null) {
      await attempt("campaign.score", async () => [judgeScore(enrollment, await readScores(sql))]);
    }
    return { findings, mapping };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * Mautic and its webhook. Total.
 *
 * @param told What the deployed function says of its settings; null: those of the target are taken.
 */
export async function examineMautic(
  options: Pick<ExamineOptions, "target" | "fetch" | "clock">,
  { told, mapping }: { told: ToldSettings | null; mapping: Expectations["mapping"] },
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
      // Where it speaks to another Mautic its settings say nothing of this one.
      const judged = told?.baseUrl === settings.baseUrl ? told : settings;
      findings.push(...await checkMautic(admin, { mapping, settings: judged }, clock.now()));
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
