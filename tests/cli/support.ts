import assert from "node:assert/strict";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import { type Clock, systemClock } from "shared/runtime/clock.ts";
import type { Env } from "shared/settings/reader.ts";
import { examine, examineMautic } from "../../cli/doctor/examine.ts";
import { migrationFiles } from "../../cli/doctor/main.ts";
import { readMapped } from "../../cli/setup/wanted_fields.ts";
import { makeReport, type Report } from "../../cli/doctor/report.ts";
import { envOfStack, readTarget } from "../../cli/target.ts";
import { openSession } from "../../cli/target_options.ts";

/** A stack whose functions give up on Mautic at once, and whose cron jobs have run. */
export async function soundStack(options: StackOptions = {}): Promise<Stack> {
  const stack = await startStack({
    ...options,
    functionEnv: {
      MAUTIC_RETRY_DELAY_MS: "1",
      MAUTIC_WORKER_LINGER_MS: "0",
      ...options.functionEnv,
    },
  });
  const frequent = await stack.sql<{ jobname: string }[]>`
    select jobname from cron.job
    where jobname like 'mautic-%' and (schedule like '%second%' or schedule = '* * * * *')`;
  for (const { jobname } of frequent) await stack.pgCron.tickNow(jobname);
  return stack;
}

/** The variables of a stack, enrolment included. */
export function stackEnv(stack: Stack): Env {
  return {
    ...envOfStack(JSON.stringify(stack.ready)),
    MAUTIC_ENROLLMENT_ENABLED: "true",
    MAUTIC_CAMPAIGN_HIGH_VALUE: String(stack.mautic.campaignId),
  };
}

/** Asks the doctor; `skewMs` puts this machine's clock ahead. */
export async function ask(env: Env, { skewMs = 0 } = {}): Promise<Report> {
  const target = readTarget(env);
  const findings = await examine({
    target,
    fetch,
    clock: clockAhead(skewMs),
    connect: openSession,
    migrations: await migrationFiles(),
  });
  return makeReport(findings, target.secrets);
}

/** The same for Mautic and webhook alone: a ring through pg_net takes its second. */
export async function askAboutMautic(env: Env, { skewMs = 0 } = {}): Promise<Report> {
  const target = readTarget(env);
  const sql = openSession(target.databaseUrl ?? "");
  const mapped = await readMapped(sql).finally(() => sql.end({ timeout: 1 }));
  const findings = await examineMautic(
    { target, fetch, clock: clockAhead(skewMs) },
    { told: null, mapping: { mapped } },
  );
  return makeReport(findings, target.secrets);
}

function clockAhead(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms };
}

/** Names of the checks that do not pass, as `fail vault.url`. */
export function complaints({ findings }: Report): string[] {
  return findings.filter(({ verdict }) => verdict !== "pass")
    .map(({ verdict, check }) => `${verdict} ${check}`);
}

/** What is wrong: planted on a sound stack. */
export interface Fault {
  title: string;
  /** Answers variables that differ, and how to undo what was done. */
  plant(stack: Stack): Planted | Promise<Planted>;
  /** All that the doctor says against the stack then. */
  expected: string[];
}

export interface Planted {
  env?: Env;
  undo?: () => unknown;
  skewMs?: number;
}

/** Plants the faults one by one, each in a step of its own; nothing may show a secret. */
export async function plantEach(
  t: Deno.TestContext,
  { stack, faults, ask }: {
    stack: Stack;
    faults: Fault[];
    ask: (env: Env, options: { skewMs: number }) => Promise<Report>;
  },
): Promise<void> {
  const sound = stackEnv(stack);
  await t.step("all pass", async () => {
    const report = await ask(sound, { skewMs: 0 });
    assert.deepEqual(complaints(report), []);
    assert.equal(report.ok, true);
  });
  for (const { title, plant, expected } of faults) {
    await t.step(title, async () => {
      const { env = {}, undo = () => {}, skewMs = 0 } = await plant(stack);
      try {
        const report = await ask({ ...sound, ...env }, { skewMs });
        assert.deepEqual(complaints(report), expected);
        assert.equal(report.ok, expected.every((each) => !each.startsWith("fail")));
        const text = JSON.stringify(report);
        for (const secret of secretsOf(stack)) assert.ok(!text.includes(secret));
      } finally {
        await undo();
      }
    });
  }
  await t.step("all pass again", async () => {
    assert.deepEqual(complaints(await ask(sound, { skewMs: 0 })), []);
  });
}

function secretsOf({ ready, mautic }: Stack): string[] {
  return [
    ready.secretKey,
    ready.mauticClientSecret,
    new URL(ready.webhookUrl).searchParams.get("secret") ?? "?",
    ...[...mautic.hooks.values()].map((hook) => hook.secret),
  ];
}

/** As a web server that sends http to https, or one name to another. */
export function redirectTo(base: string, variable: string): Planted {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname, search } = new URL(request.url);
      return Response.redirect(base + pathname + search, 301);
    },
  );
  return {
    env: { [variable]: `http://127.0.0.1:${server.addr.port}` },
    undo: () => server.shutdown(),
  };
}
