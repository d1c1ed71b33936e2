/** One function instance's way to a token, as a process of its own: prints where it came from. */
import { systemClock } from "shared/clock.ts";
import { createDatabase } from "shared/database.ts";
import { silentLog } from "shared/log.ts";
import { createTokenSource } from "shared/mautic/token_cache.ts";
import { readSupabaseSettings, readSyncSettings } from "shared/settings.ts";

const env = Deno.env.toObject();
const supabase = readSupabaseSettings(env);
const sync = readSyncSettings(env);
if (!supabase.ok || sync.mode !== "live") throw new Error("the test gave no settings");

const tokens = createTokenSource({
  ...sync.settings,
  origin: sync.settings.baseUrl,
  store: createDatabase({ ...supabase.settings, fetch, timeoutMs: 10_000 }).tokens,
  holder: crypto.randomUUID(),
  fetch,
  clock: systemClock,
  random: Math.random,
  log: silentLog,
});
await tokens.get();
await Deno.stdout.write(new TextEncoder().encode(tokens.lastFrom()));
