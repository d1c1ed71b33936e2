import type { Random } from "./random.ts";

/** Probabilities for each call of a function; all zero: nothing goes wrong. */
export interface FaultRates {
  killBefore: number;
  killAfter: number;
  mautic: number;
  database: number;
  freeze: number;
  slowNetwork: number;
}

/** How unreliable pg_net and pg_cron are. */
export interface BellRates {
  lost: number;
  doubled: number;
  tickMissed: number;
  tickLate: number;
}

/** What becomes of Mautic's webhooks on their way. */
export interface InboundRates {
  refused: number;
  answerLost: number;
  failed: number;
  held: number;
  doubled: number;
  deferred: number;
}

export const noFaults: FaultRates = {
  killBefore: 0,
  killAfter: 0,
  mautic: 0,
  database: 0,
  freeze: 0,
  slowNetwork: 0,
};
export const noBellFaults: BellRates = { lost: 0, doubled: 0, tickMissed: 0, tickLate: 0 };
export const noInboundFaults: InboundRates = {
  refused: 0,
  answerLost: 0,
  failed: 0,
  held: 0,
  doubled: 0,
  deferred: 0,
};

/** Everything about a world that is decided before it begins. */
export interface Plan {
  rates: FaultRates;
  bells: BellRates;
  inbound: InboundRates;
  /** Settings of mautic-sync that vary. */
  env: Record<string, string>;
  /** When Mautic's server gives up by itself; mautic-sync is told a second more. */
  serverTimeLimitMs: number;
  /** How often somebody does something in Mautic just when a request about them is under way. */
  reactions: number;
  /** Settings in `mautic.setting`. */
  settings: { on_lead_delete: string; on_contact_deleted: string; bulk_rows: string };
  hook: {
    mode: "immediate" | "queue";
    proof: "secret" | "signature";
    /** A hook that nobody edited is switched off by its first failure. */
    isEdited: boolean;
    tellsOfSaves: boolean;
  };
  /** How far each clock is ahead of the scheduler's, in milliseconds. */
  skew: { database: number; mautic: number; processes: number[] };
  reconcileEveryMs: number;
  durationMs: number;
  steps: number;
  people: number;
  /** Mautic answers 500 to every save of a lead whose company is {@link poisonousCompany}. */
  hasPoison: boolean;
  /** Once all is quiet everything is replayed by force, and looked at again without excuses. */
  endsWithReplay: boolean;
  /** Last of all only poisonous leads are sent for a while, and then others. */
  endsWithPoison: Poisoning | undefined;
  /** A second table of the same people is attached, of a higher rank, which says company and phone only. */
  hasSignups: boolean;
}

/** How Mautic fails on leads of {@link poisonousCompany}, on how many, and how long on nothing else. */
export interface Poisoning {
  kind: "500" | "502";
  leads: number;
  aloneMs: number;
}

const hastyLeases = {
  MAUTIC_REQUEST_TIMEOUT_MS: "4000",
  MAUTIC_SERVER_TIME_LIMIT_MS: "6000",
  MAUTIC_WORKER_LEASE_MS: "2000",
};

export const poisonousCompany = "Poison Ltd";

export function makePlan(random: Random): Plan {
  const lively = random.pick([0, 0.3, 1, 1, 2]);
  const rough = random.pick([0, 0, 0.3, 1, 1]);
  // Short leases run out under workers that are frozen or cut off.
  const isHasty = random.chance(0.4);
  return {
    rates: {
      killBefore: 0.004 * lively,
      killAfter: 0.006 * lively,
      mautic: random.pick([0, 0.05, 0.15, 0.3]) * Math.min(1, lively),
      database: 0.005 * lively,
      freeze: (isHasty ? 0.008 : 0.002) * lively,
      slowNetwork: random.pick([0, 0.02, 0.1]),
    },
    bells: {
      lost: random.pick([0, 0.2, 0.6]),
      doubled: random.pick([0, 0.2]),
      tickMissed: random.pick([0, 0.2, 0.5]),
      tickLate: random.pick([0, 0.2]),
    },
    inbound: {
      refused: 0.15 * rough,
      answerLost: 0.1 * rough,
      failed: 0.1 * rough,
      held: 0.1 * rough,
      doubled: 0.15 * rough,
      deferred: 0.2 * rough,
    },
    env: {
      MAUTIC_BATCH_SIZE: String(random.pick([2, 5, 50])),
      MAUTIC_MAX_WORKERS: String(random.pick([1, 2, 2, 3])),
      MAUTIC_WORKER_LINGER_MS: String(random.pick([0, 100, 300])),
      MAUTIC_WORKER_BUDGET_LEADS: String(random.pick([10, 2_000])),
      MAUTIC_NATIVE_UTM_TAGS: String(random.chance(0.2)),
      ...(isHasty ? hastyLeases : {}),
    },
    serverTimeLimitMs: isHasty ? 5_000 : 59_000,
    reactions: random.pick([0, 0.05, 0.2]),
    settings: {
      on_lead_delete: random.pick(["keep", "keep", "keep", "do_not_contact", "delete_contact"]),
      on_contact_deleted: random.pick(["recreate", "recreate", "recreate", "leave"]),
      // In lanes of their own: what many rows change, and in some histories what two do.
      bulk_rows: random.pick(["100", "100", "1"]),
    },
    hook: {
      mode: random.pick(["immediate", "immediate", "queue"]),
      proof: random.pick(["secret", "signature"]),
      isEdited: random.chance(0.85),
      tellsOfSaves: random.chance(0.15),
    },
    skew: {
      database: random.pick([0, 0, 700, -1_500]),
      mautic: random.pick([0, 0, -3_000, 240_000]),
      processes: random.pick([[0], [0], [0, 400, -2_000], [15_000, 0, -20_000]]),
    },
    reconcileEveryMs: random.pick([60_000, 5 * 60_000, 15 * 60_000]),
    durationMs: random.pick([30_000, 5 * 60_000, 15 * 60_000]),
    steps: random.between(20, 90),
    people: random.pick([3, 10, 40]),
    hasPoison: random.chance(0.15),
    endsWithReplay: random.chance(0.35),
    endsWithPoison: random.chance(0.25)
      ? {
        kind: random.pick(["500", "500", "502"]),
        leads: random.between(1, 12),
        aloneMs: random.pick([0, 10 * 60_000]),
      }
      : undefined,
    hasSignups: random.chance(0.3),
  };
}
