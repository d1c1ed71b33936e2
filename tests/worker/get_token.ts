/** One function instance's way to a token, as a process of its own: prints where it came from. */
import { systemClock } from "shared/runtime/clock.ts";
import { createDatabase } from "shared/database/database.ts";
import { silentLog } from "shared/runtime/log.ts";
import { createTokenSource } from "shared/mautic/token/cache.ts";
import { readSupabaseSettings } from "shared/settings/supabase.ts";
import { readSyncSettings } from "shared/settings/sync.ts";

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
