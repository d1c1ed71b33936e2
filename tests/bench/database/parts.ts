import type postgres from "postgres";
import { testDatabase } from "../../support/database.ts";
import { type Figure, figure as judged, medianMs, type Part } from "../measure.ts";

const runs = 7;

/** A table like leads without anything of ours on it: what a write costs without the sync. */
async function plainTwin(sql: postgres.Sql): Promise<void> {
  await sql`create table public.plain (like public.leads including all)`;
}

async function writes(
  sql: postgres.Sql,
  statement: (table: string) => string,
): Promise<[plain: number, synced: number]> {
  const clean = () => sql`truncate mautic.lead_change, net.http_request_queue`;
  // In turn, so that the machine's mood is the same for both.
  const plain: number[] = [];
  const synced: number[] = [];
  for (let run = 0; run < runs; run++) {
    plain.push(await medianMs(1, () => sql.unsafe(statement("public.plain")), clean));
    synced.push(await medianMs(1, () => sql.unsafe(statement("public.leads")), clean));
  }
  return [middle(plain), middle(synced)];
}

/** Four clients insert single rows, each in a transaction of its own. */
async function singleRows(sql: postgres.Sql): Promise<Figure> {
  const insert = (table: string) => () =>
    Promise.all(Array.from({ length: 4 }, async () => {
      const client = await sql.reserve();
      try {
        for (let row = 0; row < 250; row++) {
          await client.unsafe(`insert into ${table} (email) values ('one@example.test')`);
        }
      } finally {
        client.release();
      }
    }));
  const plain: number[] = [];
  const synced: number[] = [];
  for (let run = 0; run < runs; run++) {
    plain.push(await medianMs(1, insert("public.plain")));
    synced.push(await medianMs(1, insert("public.leads")));
  }
  return figure(
    "trigger.one_row",
    "trigger: 1,000 single-row inserts, 4 clients",
    "the same table without trigger",
    middle(plain),
    middle(synced),
  );
}

function middle(times: number[]): number {
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
}

/** What the triggers cost, with a worker there to see the changes. */
async function triggerCost(): Promise<Figure[]> {
  await using db = await testDatabase();
  const { sql } = db;
  await plainTwin(sql);
  await sql`select mautic.start_worker(${crypto.randomUUID()}, 2, 3600000)`;
  for (const table of ["public.leads", "public.plain"]) {
    await sql.unsafe(`insert into ${table} (email, first_name)
      select 'b' || i || '@example.test', 'B' from generate_series(1, 10000) i`);
  }
  const many = "generate_series(1, 10000) i";
  const cases: [string, string, (table: string) => string][] = [
    [
      "trigger.bulk_insert",
      "trigger: 10,000 rows inserted",
      (table) => `insert into ${table} (email) select 'n' || i || '@example.test' from ${many}`,
    ],
    [
      "trigger.irrelevant_update",
      "trigger: 10,000 updates, nothing relevant",
      (table) => `update ${table} set updated_at = clock_timestamp() where first_name is not null`,
    ],
    [
      "trigger.relevant_update",
      "trigger: 10,000 relevant updates",
      (table) => `update ${table} set first_name = random()::text where first_name is not null`,
    ],
  ];
  const figures: Figure[] = [await singleRows(sql)];
  for (const [id, name, statement] of cases) {
    const [plain, synced] = await writes(sql, statement);
    figures.push(figure(id, name, "the same table without trigger", plain, synced));
  }
  return figures;
}

/** A claim of 50 with a short and with a long outbox. */
async function claimTime(rows: number): Promise<Figure> {
  const time = async (count: number) => {
    await using db = await testDatabase();
    const { sql } = db;
    const worker = crypto.randomUUID();
    await sql`select mautic.start_worker(${worker}, 2, 3600000)`;
    // The queue is made directly: this is about its length, not about how it came to be.
    await sql.begin(async (own) => {
      await own`set local session_replication_role = replica`;
      await own`insert into public.leads (email)
        select 'c' || i || '@example.test' from generate_series(1, ${count}) i`;
    });
    await sql`insert into mautic.outbox (lead_id, correlation_id, enqueued_at, changed_at)
      select id::text, 'bench', now() + random() * interval '1 hour', now() from public.leads`;
    await sql`analyze public.leads`;
    await sql`analyze mautic.outbox`;
    return await medianMs(
      15,
      () => sql`select mautic.claim(${worker}, 'https://m.test', 50, 3600000)`,
    );
  };
  return figure(
    "claim.long_queue",
    `claim of 50 from ${rows.toLocaleString("en")} queued leads`,
    "from 1,000",
    await time(1_000),
    await time(rows),
  );
}

/** A delivery of 1,000 events with a small and with a large leads table. */
async function deliveryTime(leads: number): Promise<Figure> {
  const time = async (count: number) => {
    await using db = await testDatabase();
    const { sql } = db;
    await sql`insert into public.leads (email)
      select 'd' || i || '@example.test' from generate_series(1, ${count}) i`;
    await sql`analyze public.leads`;
    return await medianMs(5, (run) => {
      const events = Array.from({ length: 1_000 }, (_, index) => ({
        contact_id: null,
        address: `d${index + 1}@example.test`,
        kind: run % 2 === 0 ? "unsubscribed" : "subscribed",
        occurred_at: new Date(Date.UTC(2026, 0, 1, 0, run)).toISOString(),
        detail: {},
      }));
      return sql`select mautic.receive_delivery(
        p_body => ${`{"run":${run}}`}, p_events => ${sql.json(events)}, p_origin => null,
        p_is_test => false, p_correlation_id => 'bench')`;
    });
  };
  return figure(
    "webhook.many_leads",
    `1,000 webhook events with ${leads.toLocaleString("en")} leads`,
    "with 1,000 leads",
    await time(1_000),
    await time(leads),
  );
}

function figure(
  id: string,
  name: string,
  baseline: string,
  baselineMs: number,
  measuredMs: number,
): Figure {
  const against = { name: baseline, value: baselineMs };
  return judged({ id, name, unit: "ms", value: measuredMs, baseline: against });
}

export const databaseParts: Part[] = [
  {
    name: "trigger",
    about: "what the triggers add to the application's writes",
    run: async () => ({ figures: await triggerCost() }),
  },
  {
    name: "claim",
    about: "claiming from a short and from a long queue",
    run: async ({ quick }) => ({ figures: [await claimTime(quick ? 10_000 : 1_000_000)] }),
  },
  {
    name: "webhook",
    about: "deliveries of webhook events",
    run: async ({ quick }) => ({ figures: [await deliveryTime(quick ? 2_000 : 100_000)] }),
  },
];
