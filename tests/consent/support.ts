import assert from "node:assert/strict";
import { z } from "zod";
import { createApiKeys } from "../../local/supabase/api_keys.ts";
import { marked } from "../../local/canary/canary.ts";
import { createDataApi } from "../../local/supabase/data_api.ts";
import { systemClock } from "shared/runtime/clock.ts";
import { createLog } from "shared/runtime/log.ts";
import { createHandler } from "../../supabase/functions/mautic-webhook/handler.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

/** The Mautic that the tests pretend to be. */
export const origin = "https://mautic.example.test";
export const secret = marked("a-webhook-secret");

export interface Answer {
  ok: boolean;
  data?: {
    eventsProcessed: number;
    eventsFailed: number;
    results: { email: string | null; type: string; processed: boolean; outcome: string }[];
    ignored: number;
    unknown: number;
    demo?: boolean;
    test?: boolean;
    duplicate?: boolean;
  };
  error?: { code: string; message: string };
  correlationId: string;
}

/** mautic-webhook in this process; `env` is all it knows. */
export function webhook(env: Record<string, string>, fetchDatabase: typeof fetch = fetch) {
  const lines: string[] = [];
  const handler = createHandler({
    env,
    fetch: fetchDatabase,
    clock: systemClock,
    log: createLog({ name: "mautic-webhook", write: (line) => lines.push(line), now: Date.now }),
  });
  async function post(body: BodyInit | object | null, init: RequestInit & { query?: string } = {}) {
    const { query = `?secret=${secret}`, ...rest } = init;
    const plain = body !== null && typeof body === "object" &&
      [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(body));
    const response = await handler(
      new Request(`http://f/mautic-webhook${query}`, {
        method: "POST",
        body: plain ? JSON.stringify(body) : body as BodyInit | null,
        ...rest,
      }),
    );
    const answer: Answer = JSON.parse(await response.text() || "{}");
    return { status: response.status, headers: response.headers, answer };
  }
  return { post, lines, handler };
}

export interface Webhook extends AsyncDisposable, ReturnType<typeof webhook> {
  db: TestDatabase;
  env: Record<string, string>;
}

/** The same on a real Postgres, through the Data API over HTTP. */
export async function startWebhook(env: Record<string, string> = {}): Promise<Webhook> {
  const db = await testDatabase();
  const keys = await createApiKeys();
  const dataApi = createDataApi({ databaseUrl: db.url, keys, schemas: ["public", "mautic"] });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => dataApi.fetch(request),
  );
  const all = {
    SUPABASE_URL: `http://127.0.0.1:${server.addr.port}`,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    MAUTIC_BASE_URL: origin,
    MAUTIC_WEBHOOK_SECRET: secret,
    ...env,
  };
  return {
    ...webhook(all),
    db,
    env: all,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await dataApi.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

const recordedSchema = z.object({
  case: z.string(),
  index: z.number(),
  headers: z.record(z.string(), z.string()),
  /** The webhook's secret, where it is known. */
  key: z.string().nullable(),
  /** As it came over the wire. */
  body: z.string(),
});
export type Recorded = z.infer<typeof recordedSchema>;

/** Every delivery recorded from a Mautic 5.1.1, and those of later recordings about channels. */
export async function recordedDeliveries(): Promise<Recorded[]> {
  const lines = await readFixture("deliveries.jsonl");
  return lines.trim().split("\n").map((line) => recordedSchema.parse(JSON.parse(line)));
}

export function readFixture(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../fixtures/webhook/${name}`, import.meta.url));
}

/** A delivery of one subscription change, in the shape of ORIGINAL's integration plus a time. */
export function change(
  { id, email, status, at, channel = "email", comments }: {
    id?: number | null;
    email?: string | null;
    status: string;
    /** Seconds after an arbitrary start; none: no timestamp. */
    at?: number;
    channel?: string;
    comments?: string;
  },
) {
  return {
    contact: {
      id: id ?? null,
      email: email ?? null,
      doNotContact: comments === undefined ? [] : [{ channel, comments, reason: 1, channelId: 3 }],
    },
    channel,
    new_status: status,
    ...(at === undefined ? {} : { timestamp: time(at) }),
  };
}

export function time(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 5) + seconds * 1000).toISOString();
}

export const subscriptionChanged = "mautic.lead_channel_subscription_changed";

/** Links a lead to a contact, as a settle does. */
export async function link(db: TestDatabase, leadId: string, contactId: number, email: string) {
  const outcome = { lead_id: leadId, result: "done", contact_id: contactId, address: email };
  await db.sql`select mautic.record_contact(
    ${origin}, jsonb_populate_record(null::mautic.outcome, ${db.sql.json(outcome)}), true)`;
}

/** Status by address, and how many activity rows there are. */
export async function statuses(db: TestDatabase): Promise<Record<string, string | null>> {
  const rows = await db.sql<{ email: string; email_status: string | null }[]>`
    select email, email_status from public.leads order by email`;
  return Object.fromEntries(rows.map((row) => [row.email, row.email_status]));
}

export async function activities(db: Pick<TestDatabase, "sql">) {
  const rows = await db.sql<{ lead_id: string; type: string; detail: Record<string, unknown> }[]>`
    select lead_id, type, detail from public.lead_activity order by id`;
  return [...rows];
}

export type Change = Parameters<typeof change>[0];

/** A body with these changes. */
export function bodyOf(...changes: Change[]) {
  return { [subscriptionChanged]: changes.map(change) };
}

/** Delivers changes in one body; what became of each. */
export async function outcomes(inbox: Webhook, ...changes: Change[]): Promise<string[]> {
  const { status, answer } = await inbox.post(bodyOf(...changes));
  assert.equal(status, 200);
  return answer.data?.results.map(({ outcome }) => outcome) ?? [];
}
