import { createHash } from "node:crypto";
import { z } from "zod";
import { marked } from "../../local/canary/canary.ts";
import { createMauticServer } from "../../local/mautic/server.ts";
import { checkConsent } from "./consent_check.ts";
import { startCron } from "./cron.ts";
import {
  createSimulatedDatabase,
  type SimulatedDatabase,
  simulatedMautic,
  simulatedProject,
} from "./database.ts";
import { scheduleHistory } from "./history.ts";
import { checkErasures } from "./erasure_check.ts";
import { createInbound } from "./inbound.ts";
import { checkContacts, checkContactsStrictly, checkRest, checkSignups } from "./invariants.ts";
import { readLedger } from "./ledger.ts";
import { createLimits, type Limits } from "./limits.ts";
import { createNetwork } from "./network.ts";
import { createObserver } from "./observer.ts";
import { checkLeftovers, checkPeople } from "./person_check.ts";
import { makePlan, noBellFaults, noFaults, noInboundFaults, type Plan } from "./plan.ts";
import { checkNobodyWaits, poison } from "./poison_check.ts";
import { createPlatform, type Platform } from "./platform.ts";
import { createRandom } from "./random.ts";
import { createScheduler, trackWebCrypto } from "./scheduler.ts";

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

const intention = z.object({ p_contact_id: z.number() });
const startsAt = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;
/** Back-off reaches 15 minutes, and a few of them may follow each other. */
const longestDrainMs = 60 * minuteMs;
const webhookSecret = marked("simulated-webhook-secret");
const signingKey = marked("simulated-signing-key");

/** One world from one seed: a history with faults, then quiet, then what must hold. */
export async function simulate(seed: number): Promise<SimulationResult> {
  const plan = makePlan(createRandom(seed, "plan"));
  let { rates, bells, inbound, reactions } = plan;
  const reaction = createRandom(seed, "reactions");
  const scheduler = createScheduler(startsAt, createRandom(seed, "ties"));
  const restoreCrypto = trackWebCrypto(scheduler);
  await using database = await createSimulatedDatabase(scheduler, plan.skew.database);
  const history: string[] = [];
  let limits: Limits | undefined = undefined;
  let platform: Platform | undefined = undefined;
  const note = (line: string) => {
    history.push(`${((scheduler.now() - startsAt) / 1000).toFixed(3)} ${line}`);
    limits?.onNote(line);
  };
  const mustPlatform = () => {
    if (!platform) throw new Error("Nothing runs yet.");
    return platform;
  };

  const mautic = createMauticServer({
    clock: {
      now: () => scheduler.now() + plan.skew.mautic,
      sleep: (ms) => new Promise((resolve) => scheduler.after(ms, resolve)),
    },
    random: createRandom(seed, "mautic").next,
    secretMark: marked(""),
    turn: () => new Promise((resolve) => scheduler.after(0, resolve)),
    deliver: createInbound({
      scheduler,
      random: createRandom(seed, "inbound"),
      longestWaitMs: Math.min(15_000, 0.3 * plan.serverTimeLimitMs),
      platform: mustPlatform,
      rates: () => inbound,
      note,
    }),
    siteUrl: "http://mautic.test",
    campaigns: [{ name: "High value leads", allowRestart: true }],
    latency: { cores: 4, cost: () => ({ request: 20, item: 15 }) },
  });
  mautic.settings.webhookMode = plan.hook.mode;
  const hook = mautic.addWebhook({
    url: `http://function.test/mautic-webhook${
      plan.hook.proof === "secret" ? `?secret=${webhookSecret}` : ""
    }`,
    secret: signingKey,
    triggers: [
      "mautic.lead_channel_subscription_changed",
      ...(plan.hook.tellsOfSaves
        ? ["mautic.lead_post_save_new", "mautic.lead_post_save_update"]
        : []),
    ],
  });
  if (plan.hook.isEdited) hook.dateModified = startsAt + plan.skew.mautic;
  if (plan.hasPoison) poison(mautic, "500");
  const env = {
    SUPABASE_URL: simulatedProject,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: database.secretKey }),
    MAUTIC_BASE_URL: simulatedMautic,
    MAUTIC_CLIENT_ID: mautic.clientId,
    MAUTIC_CLIENT_SECRET: mautic.clientSecret,
    MAUTIC_ENROLLMENT_ENABLED: "true",
    MAUTIC_CAMPAIGN_HIGH_VALUE: String(mautic.campaignId),
    MAUTIC_WEBHOOK_SECRET: webhookSecret,
    ...(plan.hook.proof === "signature" ? { MAUTIC_WEBHOOK_SIGNING_KEY: signingKey } : {}),
    ...plan.env,
  };
  const observer = createObserver(
    mautic,
    scheduler.now,
    (contactId) =>
      deeds.campaignCalls.some((call) =>
        call.contactId === contactId && call.at > scheduler.now() - minuteMs
      ),
    plan.skew.mautic,
  );
  const secrets = new Set([webhookSecret, signingKey, database.secretKey, mautic.clientSecret]);
  const intended: { contactId: number; at: number }[] = [];
  const network = createNetwork({
    scheduler,
    random: createRandom(seed, "faults"),
    database,
    mautic,
    serverTimeLimitMs: plan.serverTimeLimitMs,
    rates: () => rates,
    note,
    onArrival(call) {
      const body = call.body === null ? "" : ` ${JSON.stringify(call.body)}`;
      if (call.path.startsWith("/api/")) {
        note(`${call.process} -> ${call.request.method} ${call.path}${body}`);
      }
      observer.onArrival(call);
      limits?.onArrival(call);
      const about = /^\/api\/contacts\/(\d+)/.exec(call.path)?.[1];
      if (about && reaction.chance(reactions)) {
        scheduler.after(reaction.between(1, 80), () => act(Number(about)));
      }
    },
    onAnswer(call, status, body) {
      const token = /"access_token":"([^"]+)"/.exec(body)?.[1];
      if (token) secrets.add(token);
      observer.onAnswer(call, status, body);
      limits?.onAnswer(call, status);
    },
    async onDatabaseCall(routine, body, answer) {
      if (routine === "intend_enrollment" && !answer.includes("not_mailable")) {
        const { p_contact_id: contactId } = intention.parse(body);
        intended.push({ contactId, at: scheduler.now() });
      }
      if (routine === "ring") await platform?.ring();
      if (routine === "start_worker") {
        const [row] = await database.step((sql) =>
          sql`select count(*)::int as n from mautic.worker where lease_expires_at > mautic.clock()`
        );
        if (Number(row?.["n"]) > Number(plan.env["MAUTIC_MAX_WORKERS"])) {
          observer.violations.push(`${row?.["n"]} workers have a lease at ${scheduler.now()}`);
        }
      }
    },
  });
  platform = createPlatform({
    scheduler,
    random: createRandom(seed, "platform"),
    database,
    env,
    skews: plan.skew.processes,
    fetch: network.fetch,
    bells: () => bells,
    note,
    onLine(line) {
      const found = [...secrets].some((secret) => line.includes(secret)) ||
        /p\d+@example\.test/i.test(line);
      if (found) {
        observer.violations.push(`a secret or an address is in a log line: ${line.slice(0, 200)}`);
      }
    },
  });
  if (plan.hasSignups) await database.addSignups();
  await database.step((sql) =>
    sql`select mautic.set('on_lead_delete', ${plan.settings.on_lead_delete}),
      mautic.set('bulk_rows', ${plan.settings.bulk_rows}),
      mautic.set('on_contact_deleted', ${plan.settings.on_contact_deleted})`
  );
  startCron({
    scheduler,
    random: createRandom(seed, "cron"),
    database,
    platform,
    bells: () => bells,
    reconcileEveryMs: plan.reconcileEveryMs,
  });
  const flushHooks = () =>
    scheduler.after(60_000, () => {
      flushHooks();
      // Not waited for: its deliveries are events of their own.
      void mautic.flushHookQueue();
    });
  if (plan.hook.mode === "queue") flushHooks();
  const { deeds, act } = scheduleHistory({
    scheduler,
    random: createRandom(seed, "history"),
    database,
    mautic,
    platform,
    note,
    steps: plan.steps,
    durationMs: plan.durationMs,
    people: plan.people,
    hasSignups: plan.hasSignups,
  });
  limits = createLimits({
    mautic,
    now: scheduler.now,
    maxWorkers: Number(plan.env["MAUTIC_MAX_WORKERS"]),
    skewMs: Math.max(...plan.skew.processes) - Math.min(...plan.skew.processes) +
      Math.abs(plan.skew.database),
    processes: platform.syncs,
    deeds: () => deeds,
  });
  note(`plan ${JSON.stringify(plan)}`);

  try {
    await scheduler.run(startsAt + plan.durationMs + 2 * minuteMs);
    rates = noFaults;
    bells = noBellFaults;
    inbound = noInboundFaults;
    reactions = 0;
    mautic.clearFaults();
    mautic.setDown(false);
    platform.thaw();
    note("quiet");
    await database.step((sql) => sql`select mautic.resume()`);
    await platform.ring();
    const quietAt = scheduler.now();
    const violations = await drain(database, scheduler, quietAt);
    const drainedAfterSeconds = Math.round((scheduler.now() - quietAt) / 1000);
    // Two more reconciliations, each with time to end.
    await scheduler.run(scheduler.now() + 2 * plan.reconcileEveryMs + 5 * minuteMs);
    violations.push(...await drain(database, scheduler, scheduler.now()));
    const ledger = await readLedger(database, deeds.direct);
    const world = {
      database,
      mautic,
      mauticAheadMs: plan.skew.mautic,
      deeds,
      ledger,
    };
    violations.push(
      ...observer.violations,
      ...limits.violations,
      ...await checkContacts(world),
      ...(plan.hasSignups ? await checkSignups(world) : []),
      ...await checkConsent(world),
      ...await checkPeople(world, {
        raced: observer.raced,
        intended,
        enrolled: observer.enrollments,
      }),
      ...await checkErasures(world),
      ...await checkLeftovers(world, leaseFaults(plan, history)),
      ...await checkRest(world, observer.enrollments),
    );
    if (plan.endsWithReplay) {
      note("everything is replayed by force");
      await database.step((sql) =>
        sql`select mautic.replay_where(everything => true, force => true)`
      );
      await platform.ring();
      violations.push(...await drain(database, scheduler, scheduler.now()));
      violations.push(...await checkContactsStrictly(world));
    }
    if (plan.endsWithPoison) {
      const graceMs = plan.serverTimeLimitMs + 10_000;
      const surroundings = { database, mautic, scheduler, platform, note };
      violations.push(...await checkNobodyWaits(surroundings, plan.endsWithPoison, graceMs));
    }
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
    platform.killAll();
    restoreCrypto();
  }
}

/** How many leases faults may have let run out; short ones on a slow network run out by themselves. */
function leaseFaults(plan: Plan, history: string[]): number {
  if (plan.env["MAUTIC_WORKER_LEASE_MS"] !== undefined || plan.rates.slowNetwork > 0) {
    return Infinity;
  }
  // A process may run as many workers as there are.
  const ofProcess = history.filter((line) => /killed|frozen/.test(line)).length;
  const ofDatabase = history.filter((line) => /database (refused|lost|hung)|Postgres/.test(line));
  return ofProcess * Number(plan.env["MAUTIC_MAX_WORKERS"]) + ofDatabase.length;
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
