/** What the triggers add to the application's writes. */
import type { Sql } from "postgres";
import { testDatabase } from "../../support/database.ts";
import { type Figure, figure, type Part, type PartOptions, quantile } from "../measure.ts";
import { startDurableDatabase } from "./server.ts";

const clients = 4;
const baselineName = "the same table without triggers";
const tables = { plain: "plain", synced: "leads" };
type Times = Record<keyof typeof tables, number>;

/** A twin of leads, indexes and all, but without anything of ours on it. */
async function prepare(sql: Sql): Promise<void> {
  await sql`create table public.plain (like public.leads including all)`;
}

/** 40 columns in all that a lead is read from. */
async function mapMany(sql: Sql): Promise<void> {
  for (let n = 1; n <= 27; n++) {
    await sql`alter table public.leads add column ${sql(`more_${n}`)} text`;
    await sql`select mautic.map_field(${`more_${n}`}, ${`more_${n}`})`;
  }
}

/**
 * Median milliseconds of a write to the twin and to leads. In turn, so that whatever else the
 * machine does befalls both.
 */
async function inTurn(
  rounds: number,
  write: (table: string) => Promise<unknown>,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Times> {
  const times: Record<keyof typeof tables, number[]> = { plain: [], synced: [] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of ["plain", "synced"] as const) {
      await before();
      const from = performance.now();
      await write(tables[kind]);
      times[kind].push(performance.now() - from);
    }
  }
  return { plain: quantile(times.plain, 0.5), synced: quantile(times.synced, 0.5) };
}

/** Clients insert single rows by a prepared statement, each row in a transaction of its own. */
const rows = 25;
const warmUps = 3;
const inserts = (rounds: number) => (warmUps + rounds) * clients * rows;

async function singleRows(sql: Sql, rounds: number): Promise<Times> {
  const sessions = await Promise.all(Array.from({ length: clients }, () => sql.reserve()));
  const insert = (table: string) =>
    Promise.all(sessions.map(async (session, client) => {
      for (let row = 0; row < rows; row++) {
        const email = `lead-${client}-${row}@example.test`;
        await session`insert into public.${session(table)} (email) values (${email})`;
      }
    }));
  // As a worker would; a long log would ring for a second one.
  const fold = () => sql`delete from mautic.lead_change`;
  try {
    // Connections, prepared statements and plpgsql's plans are there before the clock runs.
    await inTurn(warmUps, insert, fold);
    const times = await inTurn(rounds, insert, fold);
    const each = (ms: number) => ms / (rows * clients);
    return { plain: each(times.plain), synced: each(times.synced) };
  } finally {
    for (const session of sessions) session.release();
  }
}

function judged(id: string, name: string, times: Times, limit?: number): Figure {
  return figure({
    id,
    name,
    unit: "ms",
    value: times.synced,
    baseline: { name: baselineName, value: times.plain },
    ...(limit === undefined ? {} : { target: { of: "ratio", bound: "at most", limit } }),
  });
}

const startWorker = (sql: Sql) =>
  sql`select mautic.start_worker(${crypto.randomUUID()}, 2, 3600000)`;

/** A trigger that does nothing would look splendid. */
async function expectCount(sql: Sql, table: string, expected: number): Promise<void> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from ${sql(table)}`;
  if (row?.count !== expected) throw new Error(`${table}: ${row?.count} rows, not ${expected}`);
}

async function oneRow(sql: Sql, quick: boolean, where: string, id: string): Promise<Figure[]> {
  const rounds = quick ? 5 : 60;
  const name = `a row inserted, ${clients} clients, ${where}`;
  const ringing = await singleRows(sql, rounds);
  await expectCount(sql, "net.http_request_queue", inserts(rounds));
  await startWorker(sql);
  const quiet = await singleRows(sql, rounds);
  await expectCount(sql, "net.http_request_queue", inserts(rounds));
  await expectCount(sql, "mautic.logged_lead", clients * rows);
  await sql`truncate net.http_request_queue, mautic.lead_change, public.leads, public.plain`;
  return [
    judged(id, `${name}, a worker lives`, quiet, 1.5),
    judged(`${id}_ringing`, `${name}, every insert rings`, ringing),
  ];
}

/** Writes of 10,000 rows in one statement. */
async function bulk(
  sql: Sql,
  quick: boolean,
  { id, what, more }: { id: string; what: string; more: number },
): Promise<Figure[]> {
  const count = quick ? 1_000 : 10_000;
  const named = count.toLocaleString("en");
  for (const table of Object.values(tables)) {
    await sql`insert into public.${sql(table)} (email, first_name)
      select 'b' || i || '@example.test', 'B' from generate_series(1, ${count}) i`;
  }
  const clean = async () => {
    await sql`truncate mautic.lead_change`;
    await sql`delete from public.leads where first_name is null`;
    await sql`delete from public.plain where first_name is null`;
    await sql`truncate mautic.lead_change`;
    // Every round finds the tables as the first did.
    await sql`vacuum public.leads, public.plain`;
  };
  const measure = async (noted: number, write: (table: string) => Promise<unknown>) => {
    const times = await inTurn(quick ? 1 : 9, write, clean);
    await expectCount(sql, "mautic.logged_lead", noted);
    return times;
  };

  const inserted = await measure(count, (table) =>
    sql`insert into public.${sql(table)} (email)
      select 'n' || i || '@example.test' from generate_series(1, ${count}) i`);
  await clean();
  const irrelevant = await measure(
    0,
    (table) => sql`update public.${sql(table)} set updated_at = clock_timestamp()`,
  );
  const relevant = await measure(
    count,
    (table) => sql`update public.${sql(table)} set first_name = random()::text`,
  );
  return [
    judged(
      `${id}.bulk_insert`,
      `${named} rows inserted in one statement${what}`,
      inserted,
      1.9 * more,
    ),
    judged(
      `${id}.irrelevant_update`,
      `${named} updates, nothing relevant${what}`,
      irrelevant,
      1.5 * more,
    ),
    judged(
      `${id}.relevant_update`,
      `${named} updates of a mapped column${what}`,
      relevant,
      2.3 * more,
    ),
  ];
}

async function measureTriggers({ quick }: PartOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  {
    await using durable = await startDurableDatabase();
    await prepare(durable.sql);
    const flushed = "commits flushed to disk";
    figures.push(...await oneRow(durable.sql, quick, flushed, "trigger.one_row"));
    figures.push(...await bulk(durable.sql, quick, { id: "trigger", what: "", more: 1 }));
  }
  {
    await using durable = await startDurableDatabase();
    await mapMany(durable.sql);
    await prepare(durable.sql);
    const wide = { id: "trigger_wide", what: ", 40 mapped columns", more: 1.1 };
    figures.push(...await bulk(durable.sql, quick, wide));
  }
  // The worst case: nothing but Postgres' own work between a client and its next row.
  await using db = await testDatabase();
  await prepare(db.sql);
  figures.push(...await oneRow(db.sql, quick, "fsync off", "trigger.one_row_in_memory"));
  return figures;
}

export const triggerPart: Part = {
  name: "trigger",
  about: "what the triggers add to the application's writes",
  run: async (options) => ({ figures: await measureTriggers(options) }),
};
