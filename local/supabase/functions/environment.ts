/** The environment that the functions find, as the platform and `supabase secrets set` make it. */
import type { ApiKeys } from "../api_keys.ts";
import type { MauticPart } from "../../mautic_part.ts";

export type FunctionEnvironmentOptions = {
  apiUrl: string;
  dbUrl: string;
  keys: ApiKeys;
  webhookSecret: string;
  mautic: MauticPart;
};

/** Without a Mautic the functions are in demo mode. */
export function functionEnvironment(options: FunctionEnvironmentOptions): Record<string, string> {
  const { apiUrl, dbUrl, keys, webhookSecret, mautic } = options;
  const { connection, campaignId } = mautic;
  return {
    SUPABASE_URL: apiUrl,
    SUPABASE_DB_URL: dbUrl,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    // The legacy pair. `@supabase/lite` knows no keys in the form of a JWT.
    SUPABASE_SERVICE_ROLE_KEY: keys.secret,
    SUPABASE_ANON_KEY: keys.publishable,
    MAUTIC_WEBHOOK_SECRET: webhookSecret,
    ...(connection === undefined ? {} : {
      MAUTIC_BASE_URL: connection.baseUrl,
      MAUTIC_CLIENT_ID: connection.clientId,
      MAUTIC_CLIENT_SECRET: connection.clientSecret,
    }),
    ...(campaignId === undefined ? {} : {
      MAUTIC_ENROLLMENT_ENABLED: "true",
      MAUTIC_CAMPAIGN_HIGH_VALUE: String(campaignId),
    }),
  };
}
