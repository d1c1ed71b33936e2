import { z } from "zod";
import { systemClock } from "shared/runtime/clock.ts";
import { createCall } from "shared/database/call.ts";
import { inboxCalls } from "shared/database/inbox.ts";
import { reconcileCalls } from "shared/database/reconcile.ts";
import { silentLog } from "shared/runtime/log.ts";
import { createMauticClient } from "shared/mautic/client.ts";
import { reconcileConsent } from "../../supabase/functions/mautic-sync/inbound/reconcile_consent.ts";
import type { ReconcileContext } from "../../supabase/functions/mautic-sync/inbound/reconciliation.ts";
import { type Sync } from "../support/sync.ts";

/** What reconcile_consent does in mautic-sync, to be awaited. */
export function reconciler(sync: Sync, more: Partial<ReconcileContext> = {}) {
  const { env, mautic } = sync;
  const keys = z.object({ default: z.string() }).parse(
    JSON.parse(env["SUPABASE_SECRET_KEYS"] ?? ""),
  );
  const call = createCall({
    url: env["SUPABASE_URL"] ?? "",
    secretKey: keys.default,
    fetch,
    timeoutMs: 15_000,
  });
  const database = { ...reconcileCalls(call), ...inboxCalls(call) };
  let cached: Promise<string> | undefined;
  const client = createMauticClient({
    baseUrl: mautic.url,
    tokens: {
      get: () => cached ??= token(sync),
      drop: () => Promise.resolve(),
      lastFrom: () => undefined,
    },
    fetch,
    clock: systemClock,
    random: () => 0.5,
    requestTimeoutMs: 10_000,
    retry: { retries: 0, delayMs: 1, maxServerDelayMs: 1 },
    log: silentLog,
    correlationId: "test",
  });
  const context: ReconcileContext = {
    mautic: client,
    database,
    origin: mautic.url,
    clock: systemClock,
    log: silentLog,
    correlationId: "test",
    budgetMs: 60_000,
    ...more,
  };
  return { client, database, run: () => reconcileConsent(context) };
}

async function token({ mautic }: Sync): Promise<string> {
  const response = await fetch(`${mautic.url}/oauth/v2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: mautic.clientId,
      client_secret: mautic.clientSecret,
    }),
  });
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
}

/** `count` contacts p0, p1 … that unsubscribed; some of them are leads of ours. */
export async function optedOut(sync: Sync, count: number, leads: number[]): Promise<void> {
  const { client } = reconciler(sync);
  for (let from = 0; from < count; from += 200) {
    await client.batchNew(
      Array.from({ length: Math.min(200, count - from) }, (_, index) => ({
        email: `p${from + index}@example.com`,
        doNotContact: [{ channel: "email", reason: 1, comments: "" }],
      })),
    );
  }
  for (const n of leads) {
    const email = `p${n}@example.com`;
    const id = sync.mautic.contactByEmail(email)?.id ?? 0;
    await sync.sql`
      with l as (insert into public.leads (email) values (${email}) returning id)
      insert into mautic.contact_link (origin, lead_id, contact_id)
      select ${sync.mautic.url}, l.id::text, ${id} from l`;
  }
  await sync.sql`delete from mautic.lead_change`;
}

export async function statusOf(sync: Sync): Promise<Record<string, string | null>> {
  const rows = await sync.sql`select email, email_status from public.leads order by email`;
  return Object.fromEntries(rows.map((row) => [row["email"].split("@")[0], row["email_status"]]));
}
