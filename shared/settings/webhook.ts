import { type Env, reader, type SettingProblem } from "./reader.ts";

export interface WebhookSettings {
  /** Accepted as `?secret=`, and as signing key where people entered the same text twice. */
  secret: string | null;
  /** Where set, a signature made with it is required. */
  signingKey: string | null;
  maxBytes: number;
}

export type WebhookReading =
  | { mode: "ready"; settings: WebhookSettings }
  | { mode: "unset"; settings: WebhookSettings }
  | { mode: "invalid"; problems: SettingProblem[] };

/** The settings of mautic-webhook. `unset`: neither secret nor signing key. Total. */
export function readWebhookSettings(env: Env): WebhookReading {
  const read = reader(env);
  const settings: WebhookSettings = {
    secret: read.raw("MAUTIC_WEBHOOK_SECRET") ?? null,
    signingKey: read.raw("MAUTIC_WEBHOOK_SIGNING_KEY") ?? null,
    maxBytes: read.integer("MAUTIC_WEBHOOK_MAX_BYTES", 1024 * 1024, {
      min: 1_024,
      max: 64 * 1024 * 1024,
    }),
  };
  if (read.problems.length > 0) return { mode: "invalid", problems: read.problems };
  const unset = settings.secret === null && settings.signingKey === null;
  return { mode: unset ? "unset" : "ready", settings };
}
