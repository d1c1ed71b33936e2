import { type Env, reader, type SettingProblem } from "./reader.ts";

export interface SupabaseSettings {
  url: string;
  /** The key we call the database with. */
  secretKey: string;
  /** Every secret key a caller may show in the `apikey` header. */
  acceptedKeys: string[];
  /** The legacy service-role key, accepted as bearer. */
  serviceRoleKey: string | null;
}

/**
 * What tells a project from a copy of its database (mautic.deployment): its reference on Supabase, else
 * host and port.
 */
export function projectOf(url: string): string {
  const { host } = new URL(url);
  return /^([a-z0-9]+)\.supabase\.(?:co|in|red)$/.exec(host)?.[1] ?? host;
}

export type SupabaseReading =
  | { ok: true; settings: SupabaseSettings }
  | { ok: false; problems: SettingProblem[] };

/**
 * Supabase's own variables, which the platform sets. `SUPABASE_SECRET_KEYS` is a JSON object of
 * keys by name (the one named `default` is used for calls); else `SUPABASE_SECRET_KEY`, else the
 * legacy `SUPABASE_SERVICE_ROLE_KEY`. Total; no key is ever shown.
 */
export function readSupabaseSettings(env: Env): SupabaseReading {
  const read = reader(env);
  const url = read.url("SUPABASE_URL");
  if (read.raw("SUPABASE_URL") === undefined) {
    read.problem("SUPABASE_URL", "is not set; expected the project's address");
  }
  const named = read.keys("SUPABASE_SECRET_KEYS");
  const single = read.raw("SUPABASE_SECRET_KEY");
  const serviceRoleKey = read.raw("SUPABASE_SERVICE_ROLE_KEY") ?? null;
  const secretKey = named["default"] ?? Object.values(named)[0] ?? single ?? serviceRoleKey;
  if (!secretKey && read.problems.every(({ variable }) => variable !== "SUPABASE_SECRET_KEYS")) {
    read.problem(
      "SUPABASE_SECRET_KEYS",
      "is not set, nor is SUPABASE_SECRET_KEY; expected a JSON object of secret keys, or one key there",
    );
  }
  if (read.problems.length > 0 || !secretKey) return { ok: false, problems: read.problems };
  const acceptedKeys = [...new Set([...Object.values(named), ...(single ? [single] : [])])];
  return { ok: true, settings: { url, secretKey, acceptedKeys, serviceRoleKey } };
}
