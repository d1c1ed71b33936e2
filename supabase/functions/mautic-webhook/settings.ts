import { type Env, reader, type SettingProblem } from "shared/settings/reader.ts";
import { readSupabaseSettings, type SupabaseSettings } from "shared/settings/supabase.ts";
import { readWebhookSettings, type WebhookSettings } from "shared/settings/webhook.ts";

/**
 * What mautic-webhook needs. `demo`: no Supabase settings at all, so nothing can be stored.
 * `invalid`: some are missing or wrong; they are named.
 */
export type Configuration =
  | { mode: "demo"; webhook: WebhookSettings }
  | {
    mode: "live";
    webhook: WebhookSettings;
    supabase: SupabaseSettings;
    /** The Mautic whose contact ids are meant; null: what the request says of itself. */
    origin: string | null;
  }
  | { mode: "invalid"; problems: SettingProblem[] };

const supabaseVariables = [
  "SUPABASE_URL",
  "SUPABASE_SECRET_KEYS",
  "SUPABASE_SECRET_KEY",
  "SUPABASE_SERVICE_ROLE_KEY",
];

/** Reads the settings; MAUTIC_BASE_URL only to tell contact ids of one Mautic from another's. Total. */
export function readConfiguration(env: Env): Configuration {
  const webhook = readWebhookSettings(env);
  if (webhook.mode === "invalid") return webhook;
  if (supabaseVariables.every((name) => (env[name] ?? "").trim() === "")) {
    return { mode: "demo", webhook: webhook.settings };
  }
  const supabase = readSupabaseSettings(env);
  if (!supabase.ok) return { mode: "invalid", problems: supabase.problems };
  const origin = originOf(env["MAUTIC_BASE_URL"]);
  return { mode: "live", webhook: webhook.settings, supabase: supabase.settings, origin };
}

/**
 * A Mautic's address as the sync writes it, or null. A wrong one is mautic-sync's to report: here
 * it must not cost an opt-out, which is matched by address then.
 */
export function originOf(address: string | null | undefined): string | null {
  const read = reader({ MAUTIC_BASE_URL: address ?? undefined });
  const origin = read.url("MAUTIC_BASE_URL");
  return read.problems.length === 0 && origin !== "" ? origin : null;
}
