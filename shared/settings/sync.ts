import type { EnrollmentSettings } from "shared/campaign/decide_enrollment.ts";
import type { FieldLimits } from "shared/lead/map_lead.ts";
import { type Env, reader, type SettingProblem } from "./reader.ts";
import { type SupersededSetting, supersededSettings } from "./superseded.ts";

export interface RetrySettings {
  /** Tries after the first. */
  retries: number;
  /** Pause before the first retry; doubled for each further one. */
  delayMs: number;
  /** Longest pause a server may ask for within a request; more is left to the outbox. */
  maxServerDelayMs: number;
}

export interface SyncSettings {
  /** Mautic's address without a trailing slash; also the key of all that is learned from it. */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** Longest text, e-mail included, that the fields in Mautic take. */
  fieldMaxLength: number;
  limits: FieldLimits;
  enrollment: EnrollmentSettings;
  /** Also add Mautic's own UTM tags (`utm/add`), one more request a lead. */
  nativeUtmTags: boolean;
  batchSize: number;
  maxWorkers: number;
  requestTimeoutMs: number;
  /** How long Mautic's server may go on with a request after we gave up on it. */
  serverTimeLimitMs: number;
  workerLeaseMs: number;
  lingerMs: number;
  workerBudgetMs: number;
  workerBudgetLeads: number;
  workerBudgetRequests: number;
  retry: RetrySettings;
}

export type SyncReading =
  & (
    | { mode: "demo" }
    | { mode: "live"; settings: SyncSettings }
    | { mode: "invalid"; problems: SettingProblem[] }
  )
  & {
    /** Variables that are set and not heeded any more: no fault, but somebody means something by them. */
    superseded: SupersededSetting[];
  };

const credentials = ["MAUTIC_BASE_URL", "MAUTIC_CLIENT_ID", "MAUTIC_CLIENT_SECRET"] as const;

/**
 * The settings of mautic-sync. Total. None of address, client id and secret: demo mode. Some of
 * them, or anything malformed: every problem, naming the variable and what it should hold (a
 * secret's value is never shown).
 */
export function readSyncSettings(env: Env): SyncReading {
  const read = reader(env);
  const superseded = supersededSettings(env);
  const missing = credentials.filter((name) => read.raw(name) === undefined);
  if (missing.length === credentials.length) return { mode: "demo", superseded };
  for (const name of missing) {
    read.problem(
      name,
      `is not set; ${credentials.join(", ")} go together (all three, or none for demo mode)`,
    );
  }

  const fieldMaxLength = read.integer("MAUTIC_FIELD_MAX_LENGTH", 64, { min: 16, max: 191 });
  const settings: SyncSettings = {
    baseUrl: read.url("MAUTIC_BASE_URL"),
    clientId: read.text("MAUTIC_CLIENT_ID"),
    clientSecret: read.text("MAUTIC_CLIENT_SECRET"),
    fieldMaxLength,
    limits: { text: fieldMaxLength },
    enrollment: {
      enabled: read.flag("MAUTIC_ENROLLMENT_ENABLED", false),
      threshold: read.number("MAUTIC_HIGH_VALUE_THRESHOLD", 70, { min: -1e6, max: 1e6 }),
      campaignId: read.id("MAUTIC_CAMPAIGN_HIGH_VALUE"),
      stages: read.list("MAUTIC_ELIGIBLE_STAGES", ["qualified", "converted"]),
    },
    nativeUtmTags: read.flag("MAUTIC_NATIVE_UTM_TAGS", false),
    // Mautic takes 200 at most and answers 500 to more (docs/mautic.md, "Batches").
    batchSize: read.integer("MAUTIC_BATCH_SIZE", 50, { min: 1, max: 200 }),
    maxWorkers: read.integer("MAUTIC_MAX_WORKERS", 2, { min: 1, max: 20 }),
    requestTimeoutMs: read.integer("MAUTIC_REQUEST_TIMEOUT_MS", 30_000, { min: 100, max: 140_000 }),
    serverTimeLimitMs: read.integer("MAUTIC_SERVER_TIME_LIMIT_MS", 60_000, {
      min: 0,
      max: 900_000,
    }),
    workerLeaseMs: read.integer("MAUTIC_WORKER_LEASE_MS", 10_000, { min: 500, max: 120_000 }),
    lingerMs: read.integer("MAUTIC_WORKER_LINGER_MS", 1_500, { min: 0, max: 60_000 }),
    workerBudgetMs: read.integer("MAUTIC_WORKER_BUDGET_MS", 100_000, { min: 1_000, max: 390_000 }),
    workerBudgetLeads: read.integer("MAUTIC_WORKER_BUDGET_LEADS", 2_000, { min: 1, max: 1e6 }),
    workerBudgetRequests: read.integer("MAUTIC_WORKER_BUDGET_REQUESTS", 800, { min: 10, max: 1e6 }),
    retry: {
      retries: 3,
      delayMs: read.integer("MAUTIC_RETRY_DELAY_MS", 1_000, { min: 0, max: 10_000 }),
      maxServerDelayMs: 10_000,
    },
  };
  if (settings.enrollment.enabled && read.raw("MAUTIC_CAMPAIGN_HIGH_VALUE") === undefined) {
    read.problem(
      "MAUTIC_CAMPAIGN_HIGH_VALUE",
      "is not set, but MAUTIC_ENROLLMENT_ENABLED is true; expected the id of a campaign in Mautic",
    );
  }
  return read.problems.length > 0
    ? { mode: "invalid", problems: read.problems, superseded }
    : { mode: "live", settings, superseded };
}
