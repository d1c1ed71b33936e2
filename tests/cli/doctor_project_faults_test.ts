import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { createDataApi } from "../../local/supabase/data_api.ts";
import type { Stack } from "../../local/stack.ts";
import {
  ask,
  complaints,
  type Fault,
  plantEach,
  type Planted,
  redirectTo,
  soundStack,
  stackEnv,
} from "./support.ts";

const faults: Fault[] = [
  {
    title: "a missing Vault secret",
    plant: (stack) => secretGone(stack, "mautic_sync_url"),
    expected: ["fail vault.url", "fail doorbell.round_trip"],
  },
  {
    title: "a Vault secret that is no address",
    plant: (stack) => secretChanged(stack, "mautic_sync_url", "mautic-sync"),
    expected: ["fail vault.url", "fail doorbell.round_trip"],
  },
  {
    title: "a key in Vault that the function refuses",
    plant: (stack) => secretChanged(stack, "mautic_sync_key", "sb_secret_of-another-project"),
    expected: ["fail vault.key", "fail doorbell.round_trip"],
  },
  {
    title: "a publishable key in Vault",
    plant: (stack) => secretChanged(stack, "mautic_sync_key", stack.ready.publishableKey),
    expected: ["fail vault.key", "fail doorbell.round_trip"],
  },
  {
    title: "an address in Vault where nobody answers",
    plant: (stack) =>
      secretChanged(stack, "mautic_sync_url", "http://127.0.0.1:9/functions/v1/mautic-sync"),
    expected: ["warn vault.url", "fail doorbell.round_trip"],
  },
  {
    title: "a secret key of another project",
    plant: () => Promise.resolve({ env: { SUPABASE_SECRET_KEY: "sb_secret_of-another-project" } }),
    expected: [
      "fail data_api.schema",
      "fail function.accepts_secret_key",
      "warn function.configuration",
      "warn outbox.live",
    ],
  },
  {
    title: "schema mautic not exposed",
    plant: gatewayWithoutSchema,
    expected: ["fail data_api.schema", "warn vault.url", "fail webhook.exists"],
  },
  {
    title: "a function address that redirects",
    plant: (stack) => redirectTo(stack.ready.apiUrl, "SUPABASE_URL"),
    expected: [
      "fail data_api.schema",
      "fail function.address",
      "warn vault.url",
      "warn vault.key",
      "warn outbox.live",
      "fail webhook.exists",
      "fail webhook.function",
      "warn webhook.accepts_delivery",
    ],
  },
  {
    title: "a database that cannot be reached",
    plant: () =>
      Promise.resolve({ env: { SUPABASE_DB_URL: "postgresql://postgres:postgres@127.0.0.1:9/x" } }),
    expected: ["fail database.reachable", "warn mautic.fields"],
  },
  {
    title: "a migration that was not applied",
    plant: async ({ admin }) => {
      const [row] = await admin<{ version: string }[]>`
        delete from supabase_migrations.schema_migrations
        where version = '20261101070900' returning version`;
      return {
        undo: () =>
          admin`insert into supabase_migrations.schema_migrations (version) values (${
            row?.version ?? ""
          })`,
      };
    },
    expected: ["fail database.migrations"],
  },
  {
    title: "a trigger that is switched off",
    plant: async ({ sql }) => {
      await sql`alter table public.leads disable trigger mautic_lead_update`;
      return { undo: () => sql`alter table public.leads enable trigger mautic_lead_update` };
    },
    expected: ["fail database.shape"],
  },
  {
    title: "a column that was renamed",
    plant: async ({ sql }) => {
      await sql`alter table public.leads rename column phone to telephone_number`;
      return { undo: () => sql`alter table public.leads rename column telephone_number to phone` };
    },
    expected: ["fail database.shape"],
  },
  {
    title: "a cron job that is missing",
    plant: async ({ sql }) => {
      await sql`select cron.unschedule('mautic-reconcile')`;
      return { undo: () => sql`select mautic.schedule_jobs()` };
    },
    expected: ["fail cron.mautic-reconcile"],
  },
  {
    title: "a cron job that is switched off",
    plant: async ({ sql }) => {
      await sql`
        select cron.alter_job(jobid, active => false) from cron.job where jobname = 'mautic-reconcile'`;
      return { undo: () => sql`select mautic.schedule_jobs()` };
    },
    expected: ["fail cron.mautic-reconcile"],
  },
  {
    title: "a cron job whose last run failed",
    plant: async ({ sql, pgCron }) => {
      const name = "mautic-inbox-purge";
      await sql`select cron.schedule(${name}, '17 3 * * *', 'select 1 / 0')`;
      await pgCron.tickNow(name);
      return {
        undo: async () => {
          await sql`select mautic.schedule_jobs()`;
          await pgCron.tickNow(name);
        },
      };
    },
    expected: ["fail cron.mautic-inbox-purge"],
  },
  {
    title: "a dead letter",
    plant: async ({ sql }) => {
      await sql`
        insert into mautic.outbox
          (lead_id, state, correlation_id, enqueued_at, changed_at, error_code, error_message)
        values ('1', 'dead', 'c', now(), now(), 'invalid_email', 'no address')`;
      return { undo: () => sql`delete from mautic.outbox` };
    },
    expected: ["warn outbox.dead_letters"],
  },
  {
    title: "leads that wait for a field which Mautic requires",
    plant: ({ sql }) =>
      queued(sql, "required_field", "branche is required in Mautic, and nothing is sent to it."),
    expected: ["fail outbox.required_field"],
  },
  {
    title: "a project that nobody has let send, with nothing to send",
    plant: ({ sql }) => notLive(sql),
    expected: ["warn outbox.live"],
  },
  {
    title: "a project that nobody has let send, with leads that wait for it",
    plant: async ({ sql }) => {
      const [emptied, silenced] = [await queued(sql, "not_live", ""), await notLive(sql)];
      return { undo: async () => [await silenced.undo(), await emptied.undo()] };
    },
    expected: ["fail outbox.live"],
  },
  {
    title: "a database that was copied from a project that is live",
    plant: async ({ sql }) => {
      const [own] = await sql<{ project: string }[]>`
        update mautic.deployment set project = 'prod' returning (
          select d.project from mautic.deployment d limit 1) as project`;
      return {
        undo: async () => {
          await sql`delete from mautic.deployment where project <> 'prod'`;
          await sql`update mautic.deployment set project = ${own?.project ?? ""}`;
        },
      };
    },
    expected: ["warn outbox.live"],
  },
  {
    title: "scores that are probabilities",
    plant: async ({ sql, admin }) => {
      await admin.begin(async (tx) => {
        await tx`set local session_replication_role = replica`;
        await tx`insert into public.leads (email, ml_score)
          values ('a@example.test', 0.97), ('b@example.test', 1)`;
      });
      await sql`insert into mautic.lead_state (lead_id, source)
        select id::text, 'lead' from public.leads`;
      return {
        undo: async () => {
          await sql`delete from mautic.lead_state`;
          await admin.begin(async (tx) => {
            await tx`set local session_replication_role = replica`;
            await tx`delete from public.leads`;
          });
        },
      };
    },
    expected: ["warn campaign.score"],
  },
  {
    title: "sending that is paused",
    plant: async ({ sql }) => {
      await sql`select mautic.pause('maintenance')`;
      return { undo: () => sql`select mautic.resume()` };
    },
    expected: ["warn outbox.sending"],
  },
  {
    title: "a circuit that is open",
    plant: async ({ sql }) => {
      await sql`
        update mautic.sending
        set opened_at = now(), probe_at = now() + interval '1 hour', halt_code = 'unavailable'`;
      return {
        undo: () =>
          sql`update mautic.sending set opened_at = null, probe_at = null, halt_code = null`,
      };
    },
    expected: ["fail outbox.sending"],
  },
  {
    title: "a clock that is five minutes ahead",
    plant: () => Promise.resolve({ skewMs: 300_000 }),
    expected: ["fail clock.database", "fail clock.mautic"],
  },
  {
    title: "a clock that is ten seconds behind",
    plant: () => Promise.resolve({ skewMs: -10_000 }),
    expected: ["warn clock.database", "warn clock.mautic"],
  },
];

Deno.test("each fault planted in database, keys and functions is named", async (t) => {
  await using stack = await soundStack();
  await plantEach(t, { stack, faults, ask });
});

Deno.test("functions that were deployed without their secrets are told from unsound ones", async () => {
  const functionEnv = {
    MAUTIC_BASE_URL: "",
    MAUTIC_CLIENT_ID: "",
    MAUTIC_CLIENT_SECRET: "",
    MAUTIC_WEBHOOK_SECRET: "",
  };
  await using stack = await soundStack({ functionEnv });
  assert.deepEqual(complaints(await ask(stackEnv(stack))), [
    "warn function.configuration",
    "warn doorbell.round_trip",
    "warn outbox.live",
    "fail webhook.accepts_delivery",
  ]);
});

/** A lead that waits for a day, with this error. */
async function queued(sql: Sql, code: string, message: string) {
  await sql`
    insert into mautic.outbox
      (lead_id, state, not_before, correlation_id, enqueued_at, changed_at, error_code, error_message)
    values ('1', 'waiting', now() + interval '1 day', 'c', now(), now(), ${code}, ${message})`;
  return { undo: () => sql`delete from mautic.outbox` };
}

async function notLive(sql: Sql) {
  await sql`update mautic.deployment set live_at = null`;
  return { undo: () => sql`update mautic.deployment set live_at = now()` };
}

async function secretChanged({ sql }: Stack, name: string, value: string) {
  const [row] = await sql<{ id: string; decrypted_secret: string }[]>`
    select id, decrypted_secret from vault.decrypted_secrets where name = ${name}`;
  assert.ok(row);
  await sql`select vault.update_secret(${row.id}, ${value})`;
  return { undo: () => sql`select vault.update_secret(${row.id}, ${row.decrypted_secret})` };
}

async function secretGone({ sql }: Stack, name: string) {
  const [row] = await sql<{ decrypted_secret: string }[]>`
    select decrypted_secret from vault.decrypted_secrets where name = ${name}`;
  assert.ok(row);
  await sql`delete from vault.secrets where name = ${name}`;
  return { undo: () => sql`select vault.create_secret(${row.decrypted_secret}, ${name})` };
}

/** The same project behind a gateway whose Data API offers `public` only. */
function gatewayWithoutSchema({ ready }: Stack): Planted {
  const { secretKey: secret, publishableKey: publishable, dbUrl, apiUrl } = ready;
  const dataApi = createDataApi({
    databaseUrl: dbUrl,
    keys: { secret, publishable },
    schemas: ["public"],
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith("/rest/v1/")) return dataApi.fetch(request);
    return fetch(apiUrl + pathname + search, {
      method: request.method,
      headers: request.headers,
      body: request.body,
    });
  });
  return {
    env: { SUPABASE_URL: `http://127.0.0.1:${server.addr.port}` },
    undo: async () => {
      await server.shutdown();
      await dataApi.close();
    },
  };
}
