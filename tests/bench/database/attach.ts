/** What attaching a large table costs, and finding what came past its triggers. */
import type { Sql } from "postgres";
import { testDatabase } from "../../support/database.ts";
import { claim, insertLead, startWorker } from "../../support/leads.ts";
import { type Figure, figure, type Part, type PartOptions, quantile } from "../measure.ts";

const asText = (rows: number) => rows.toLocaleString("en");

async function fill(sql: Sql, rows: number): Promise<void> {
  await sql`create table public.person (
    id bigint primary key, email text, first_name text, last_name text, phone text, company text,
    status text, score numeric, consented_at timestamptz
  )`;
  await sql`insert into public.person
    select i, 'p' || i || '@example.test', 'First', 'Last', '+1555' || i, 'Company ' || i % 1000,
      'new', i % 100, now()
    from generate_series(1, ${rows}::int) i`;
  await sql`vacuum analyze public.person`;
}

/** For how long a writer of the table has to wait while it is attached. */
async function lockHeld(sql: Sql, rows: number): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    // What holds the lock is the whole call at most: all of it is one statement.
    const from = performance.now();
    await sql`select mautic.attach('public.person', source => 'person')`;
    times.push(performance.now() - from);
    if (round < 4) await sql`select mautic.detach('person')`;
  }
  return figure({
    id: "attach.lock",
    name: `attach on ${asText(rows)} rows, whole`,
    unit: "ms",
    value: quantile(times, 1),
    target: { of: "value", bound: "at most", limit: 200 },
  });
}

/** A pass over the table, page by page, against one select of the same hashes. */
async function comparison(sql: Sql, rows: number): Promise<Figure[]> {
  const until = async (condition: string, step: () => Promise<unknown>) => {
    while (
      (await sql.unsafe(`select from mautic.attachment where source = 'person' and ${condition}`))
        .count === 0
    ) {
      await step();
    }
  };
  await until("read_to_end_at is not null", () => sql`select mautic.read_unseen('1 minute')`);
  await sql`vacuum analyze mautic.lead_state`;
  const [definition] = await sql<{ digest: string }[]>`
    select mautic.digest_sql('person', 'public.person'::regclass, 'l') as digest`;
  const select = () => sql.unsafe(`select count(${definition?.digest}) from public.person l`);
  await select();
  const alone: number[] = [];
  for (let round = 0; round < 3; round++) {
    const from = performance.now();
    await select();
    alone.push(performance.now() - from);
  }

  // Somebody wrote to it, and an hour is over.
  await sql`insert into mautic.table_change (source, cause) values ('person', 'suspect')`;
  const pages: number[] = [];
  const began = performance.now();
  await until("compared_at is not null", async () => {
    const from = performance.now();
    // One page a call: no time is left for a second one.
    await sql`select mautic.compare('0 seconds')`;
    pages.push(performance.now() - from);
  });
  const whole = performance.now() - began;
  const [found] = await sql<{ unseen: number; problem: string | null }[]>`
    select unseen::int, read_problem as problem from mautic.attachment where source = 'person'`;
  if (found?.unseen !== 0 || found.problem !== null) {
    throw new Error(`The comparison found ${found?.unseen} rows, ${found?.problem}`);
  }
  const idle: number[] = [];
  await sql`update mautic.attachment set compared_mark = mautic.table_mark(relation), compared_at = now() - interval '1 day'`;
  for (let round = 0; round < 15; round++) {
    const from = performance.now();
    await sql`select mautic.compare()`;
    idle.push(performance.now() - from);
  }
  return [
    figure({
      id: "compare.pass",
      name: `comparison of ${asText(rows)} leads, a whole pass`,
      unit: "ms",
      value: whole,
      baseline: { name: "one select of the hash over them", value: quantile(alone, 0.5) },
      target: { of: "ratio", bound: "at most", limit: 8 },
    }),
    figure({
      id: "compare.page",
      name: "its longest page",
      unit: "ms",
      value: Math.max(...pages),
      target: { of: "value", bound: "at most", limit: 300 },
    }),
    figure({
      id: "compare.idle",
      name: "a look at a table that did not move",
      unit: "ms",
      value: quantile(idle, 0.5),
      target: { of: "value", bound: "at most", limit: 20 },
    }),
  ];
}

/** Which batch a lead is in that somebody makes behind a bulk update of all others. */
async function newBehindBulk(sql: Sql, rows: number): Promise<Figure> {
  await sql`insert into public.leads (email, ml_score)
    select 'b' || i || '@example.test', 1 from generate_series(1, ${rows}::int) i`;
  while ((await sql`select from mautic.lead_change limit 1`).count > 0) {
    await sql`select mautic.fold(50000)`;
  }
  await sql`delete from mautic.outbox where true`;
  await sql`update public.leads set ml_score = 2`;
  const fresh = await insertLead(sql, "fresh@example.test");
  const worker = await startWorker(sql, 3_600_000);
  let batches = 1;
  while (!(await claim(sql, worker)).items.some(({ lead_id }) => lead_id === fresh)) batches++;
  return figure({
    id: "lanes.new_behind_bulk",
    name: `the batch of a new lead behind a bulk update of ${asText(rows)}`,
    unit: "count",
    value: batches,
    target: { of: "value", bound: "at most", limit: 1 },
  });
}

async function measureAttach({ quick }: PartOptions): Promise<Figure[]> {
  const [rows, bulk] = quick ? [10_000, 2_000] : [1_000_000, 100_000];
  const figures: Figure[] = [];
  {
    await using db = await testDatabase();
    await fill(db.sql, rows);
    figures.push(await lockHeld(db.sql, rows), ...await comparison(db.sql, rows));
  }
  await using db = await testDatabase();
  figures.push(await newBehindBulk(db.sql, bulk));
  return figures;
}

export const attachPart: Part = {
  name: "attach",
  about: "what attaching a large table costs, and what keeps up with it",
  run: async (options) => ({ figures: await measureAttach(options) }),
};
