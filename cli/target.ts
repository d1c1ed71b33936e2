/** The deployment to look at, as environment variables describe it. */
import { z } from "zod";
import type { Env } from "shared/settings/reader.ts";
import { readSupabaseSettings, type SupabaseReading } from "shared/settings/supabase.ts";
import { readSyncSettings, type SyncReading } from "shared/settings/sync.ts";
import { readWebhookSettings, type WebhookReading } from "shared/settings/webhook.ts";
import { reader } from "shared/settings/reader.ts";

export interface Target {
  /** Connection string; SUPABASE_DB_URL, else DATABASE_URL. */
  databaseUrl: string | null;
  supabase: SupabaseReading;
  sync: SyncReading;
  webhook: WebhookReading;
  publishableKey: string | null;
  /** Without a trailing slash; null without SUPABASE_URL. */
  functionsUrl: string | null;
  /** What the bell's Vault secrets are to hold. */
  bell: { url: string | null; key: string | null };
  /** Texts that no output may show. */
  secrets: string[];
}

/** Reads the target. Total: what is missing or wrong is for the checks to say. */
export function readTarget(env: Env): Target {
  const read = reader(env);
  const supabase = readSupabaseSettings(env);
  const sync = readSyncSettings(env);
  const webhook = readWebhookSettings(env);
  const base = read.url("SUPABASE_URL");
  const functionsUrl = base === "" ? null : `${base}/functions/v1`;
  const databaseUrl = databaseUrlOf(env);
  const named = read.keys("SUPABASE_PUBLISHABLE_KEYS");
  const publishableKey = named["default"] ?? Object.values(named)[0] ??
    read.raw("SUPABASE_PUBLISHABLE_KEY") ?? read.raw("SUPABASE_ANON_KEY") ?? null;
  const bell = {
    url: read.raw("MAUTIC_SYNC_URL") ?? (functionsUrl && `${functionsUrl}/mautic-sync`),
    key: read.raw("MAUTIC_SYNC_KEY") ?? (supabase.ok ? supabase.settings.secretKey : null),
  };
  const password = databaseUrl && URL.canParse(databaseUrl) ? new URL(databaseUrl).password : "";
  const secrets = [
    password,
    decodeURIComponent(password),
    bell.key,
    ...(supabase.ok ? [...supabase.settings.acceptedKeys, supabase.settings.serviceRoleKey] : []),
    read.raw("MAUTIC_CLIENT_SECRET"),
    read.raw("MAUTIC_WEBHOOK_SECRET"),
    read.raw("MAUTIC_WEBHOOK_SIGNING_KEY"),
    read.raw("MAUTIC_ADMIN_PASSWORD"),
  ].filter((secret) => typeof secret === "string").filter((secret) => secret.length >= 6);
  return { databaseUrl, supabase, sync, webhook, publishableKey, functionsUrl, bell, secrets };
}

export const databaseVariables = ["SUPABASE_DB_URL", "DATABASE_URL"] as const;

function databaseUrlOf(env: Env): string | null {
  const urls = databaseVariables.map((name) => env[name]?.trim() || null);
  return urls.find((url) => url !== null) ?? null;
}

const readyLine = z.object({
  event: z.literal("ready"),
  apiUrl: z.string(),
  dbUrl: z.string(),
  mauticUrl: z.string(),
  mauticClientId: z.string(),
  mauticClientSecret: z.string(),
  webhookUrl: z.string(),
  secretKey: z.string(),
  publishableKey: z.string(),
});

/**
 * The variables that describe a stack of `deno task start`, from the line it prints.
 *
 * @throws {Error} when the text is no such line
 */
export function envOfStack(line: string): Env {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const { data: ready } = readyLine.safeParse(value);
  if (!ready) throw new Error("This is not the line that `deno task start` prints");
  return {
    SUPABASE_URL: ready.apiUrl,
    SUPABASE_DB_URL: ready.dbUrl,
    SUPABASE_SECRET_KEY: ready.secretKey,
    SUPABASE_PUBLISHABLE_KEY: ready.publishableKey,
    MAUTIC_BASE_URL: ready.mauticUrl,
    MAUTIC_CLIENT_ID: ready.mauticClientId,
    MAUTIC_CLIENT_SECRET: ready.mauticClientSecret,
    MAUTIC_WEBHOOK_SECRET: new URL(ready.webhookUrl).searchParams.get("secret") ?? "",
  };
}
