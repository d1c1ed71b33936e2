import { createHash } from "node:crypto";
import { createMauticServer } from "../../local/mautic/server.ts";
import { readSyncSettings } from "../../shared/settings.ts";
import { createSimulatedDatabase, type SimulatedDatabase } from "./database.ts";
import { kill } from "./function_process.ts";
import { type Deeds, scheduleHistory } from "./history.ts";
import { checkContacts, checkRest } from "./invariants.ts";
import { createLimits, type Limits } from "./limits.ts";
import { createNetwork, type FaultRates, noFaults } from "./network.ts";
import { createObserver } from "./observer.ts";
import { type BellRates, createPlatform, type Platform } from "./platform.ts";
import { createRandom, type Random } from "./random.ts";
import { createScheduler, trackWebCrypto } from "./scheduler.ts";
import { createPeopleLedger } from "./ledger.ts";

export interface SimulationResult {
  seed: number;
  violations: string[];
  history: string[];
  /** Of the final state and of every request Mautic saw: equal for equal seeds. */
  hash: string;
  /** Virtual seconds from the end of all faults to an empty queue. */
  drainedAfterSeconds: number;
  requests: number;
  kills: number;
  races: number;
}

const startsAt = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;
/** Back-off reaches 15 minutes, and a few of them may follow each other. */
const longestDrainMs = 60 * minuteMs;
const noBellFaults: BellRates = { lost: 0, doubled: 0, sweepMissed: 0, sweepLate: 0 };

/** One world from one seed: a history with faults, then quiet, then what must hold. */
export async function simulate(seed: number): Promise<SimulationResult> {
  const plan = createRandom(seed, "plan");
  const scheduler = createScheduler(startsAt, createRandom(seed, "ties"));
  const restoreCrypto = trackWebCrypto(scheduler);
  await using database = await createSimulatedDatabase(scheduler);
  const history: string[] = [];
  let limits: Limits | undefined = undefined;
  const note = (line: string) => {
    history.push(`${((scheduler.now() - startsAt) / 1000).toFixed(3)} ${line}`);
    limits?.onNote(line);
  };

  const lively = plan.pick([0, 0.3, 1, 1, 2]);
  let rates: FaultRates = {
    killBefore: 0.004 * lively,
    killAfter: 0.006 * lively,
    mautic: plan.pick([0, 0.05, 0.15, 0.3]) * Math.min(1, lively),
    database: 0.005 * lively,
    freeze: 0.002 * lively,
    slowNetwork: plan.pick([0, 0.02, 0.1]),
  };
  let bells: BellRates = {
    lost: plan.pick([0, 0.2, 0.6]),
    doubled: plan.pick([0, 0.2]),
    sweepMissed: plan.pick([0, 0.2, 0.5]),
    sweepLate: plan.pick([0, 0.2]),
  };
  const emulated = createRandom(seed, "mautic");
  const mautic = createMauticServer({
    clock: {
      now: scheduler.now,
      sleep: (ms) => new Promise((resolve) => scheduler.after(ms, resolve)),
    },
    random: emulated.next,
    turn: () => new Promise((resolve) => scheduler.after(0, resolve)),
    deliver: () => Promise.resolve({ status: 200 }),
    siteUrl: "http://mautic.test",
    campaigns: [{ name: "High value leads", allowRestart: true }],
    latency: { cores: 4, cost: () => ({ request: 20, item: 15 }) },
  });
  const env = {
    SUPABASE_URL: "http://data.test",
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: database.secretKey }),
    MAUTIC_BASE_URL: "http://mautic.test",
    MAUTIC_CLIENT_ID: mautic.clientId,
    MAUTIC_CLIENT_SECRET: mautic.clientSecret,
    MAUTIC_ENROLLMENT_ENABLED: "true",
    MAUTIC_CAMPAIGN_HIGH_VALUE: String(mautic.campaignId),
    MAUTIC_BATCH_SIZE: String(plan.pick([2, 5, 50])),
    MAUTIC_MAX_WORKERS: String(plan.pick([1, 2, 2, 3])),
    MAUTIC_WORKER_LINGER_MS: String(plan.pick([0, 100, 300])),
    MAUTIC_WORKER_BUDGET_LEADS: String(plan.pick([10, 2_000])),
    MAUTIC_NATIVE_UTM_TAGS: String(plan.chance(0.2)),
  };
  const observer = createObserver(mautic, scheduler.now);
  const ledger = createPeopleLedger();
  let platform: Platform | undefined = undefined;
  const network = createNetwork({
    scheduler,
    random: createRandom(seed, "faults"),
    database,
    mautic,
    rates: () => rates,
    note,
    onArrival(call) {
      const body = call.body === null ? "" : ` ${JSON.stringify(call.body)}`;
      if (call.path.startsWith("/api/")) {
        note(`${call.process} -> ${call.request.method} ${call.path}${body}`);
      }
      observer.onArrival(call);
      limits?.onArrival(call.path);
    },
    onAnswer: observer.onAnswer,
    async onDatabaseCall(routine) {
      if (routine === "ring") await platform?.ring();
    },
  });
  platform = createPlatform({
    scheduler,
    random: createRandom(seed, "platform"),
    database,
    env,
    fetch: network.fetch,
    bells: () => bells,
    note,
  });
  const durationMs = plan.pick([30_000, 5 * minuteMs, 15 * minuteMs]);
  const deeds = scheduleHistory({
    scheduler,
    random: createRandom(seed, "history"),
    database,
    mautic,
    platform,
    note,
    steps: plan.between(20, 90),
    durationMs,
    people: plan.pick([3, 10, 40]),
  });
  limits = createLimits({
    mautic,
    now: scheduler.now,
    maxWorkers: Number(env.MAUTIC_MAX_WORKERS),
    processes: platform.processes,
    deeds: () => deeds,
  });
  note(
    `env ${
      JSON.stringify({
        ...env,
        SUPABASE_SECRET_KEYS: "",
        MAUTIC_CLIENT_SECRET: "",
        MAUTIC_CLIENT_ID: "",
      })
    }`,
  );

  try {
    await scheduler.run(startsAt + durationMs + 2 * minuteMs);
    rates = noFaults;
    bells = noBellFaults;
    mautic.clearFaults();
    platform.thaw();
    note("quiet");
    await database.step((sql) => sql`select mautic.resume()`);
    await platform.ring();
    const quietAt = scheduler.now();
    const violations = await drain(database, scheduler, quietAt);
    const drainedAfterSeconds = Math.round((scheduler.now() - quietAt) / 1000);
    await scheduler.run(scheduler.now() + 2 * minuteMs);
    await ledger.read(database, deeds);
    violations.push(
      ...observer.violations,
      ...limits.violations,
      ...await checkContacts({
        database,
        mautic,
        aliases: aliasesOf(env),
        deeds,
        isUntroubled: lively === 0 && !history.some((line) => / killed| frozen/.test(line)),
        duplicated: (address) => ledger.isShared(address),
      }),
      ...await checkRest({
        database,
        mautic,
        removed: deeds.removed,
        enrolled: observer.enrollments,
        isEligible: ledger.isEligible,
      }),
    );
    return {
      seed,
      violations,
      history,
      hash: await hashOf(database, mautic),
      drainedAfterSeconds,
      requests: mautic.requests.length,
      kills: history.filter((line) => / killed/.test(line)).length,
      races: observer.races.length,
    };
  } finally {
    for (const process of platform.processes()) kill(process);
    restoreCrypto();
  }
}

function aliasesOf(env: Record<string, string>) {
  const read = readSyncSettings(env);
  if (read.mode !== "live") throw new Error(`The simulation's settings are ${read.mode}.`);
  return read.settings.aliases;
}

async function drain(
  database: SimulatedDatabase,
  scheduler: { now(): number; run(until: number): Promise<void> },
  quietAt: number,
): Promise<string[]> {
  while (scheduler.now() < quietAt + longestDrainMs) {
    const [row] = await database.step((sql) =>
      sql`
      select (select count(*)::int from mautic.lead_change)
        + (select count(*)::int from mautic.outbox where state <> 'dead') as left`
    );
    if (row?.left === 0) return [];
    await scheduler.run(scheduler.now() + 10_000);
  }
  return [`not drained ${longestDrainMs / minuteMs} virtual minutes after the last fault`];
}

async function hashOf(
  database: SimulatedDatabase,
  mautic: ReturnType<typeof createMauticServer>,
): Promise<string> {
  const tables = await database.step((sql) =>
    sql`
    select
      (select jsonb_agg(jsonb_build_array(origin, contact_id, address, snapshot, refused,
        do_not_contact, lead_id) order by contact_id) from mautic.contact) as contacts,
      (select jsonb_agg(jsonb_build_array(lead_id, contact_id, filled) order by lead_id)
        from mautic.contact_link) as links,
      (select jsonb_agg(jsonb_build_array(lead_id, version, state, attempts, error_code) order by lead_id)
        from mautic.outbox) as outbox,
      (select jsonb_agg(jsonb_build_array(contact_id, campaign_id, state) order by contact_id, campaign_id)
        from mautic.enrollment) as enrollments,
      (select jsonb_agg(to_jsonb(l) - 'created_at' - 'updated_at' order by id) from public.leads l) as leads`
  );
  const contacts = [...mautic.contacts.values()].map((contact) => ({
    ...contact,
    values: [...contact.values].sort(),
  }));
  const requests = mautic.requests.map(({ method, path, status, startedAt, itemCount, fault }) => [
    method,
    path,
    status,
    startedAt,
    itemCount,
    fault,
  ]);
  return createHash("sha256").update(JSON.stringify([[...tables], contacts, requests])).digest(
    "hex",
  );
}

export type { Deeds, Random };
