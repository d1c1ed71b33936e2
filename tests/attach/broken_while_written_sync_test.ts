import assert from "node:assert/strict";
import { session } from "./support.ts";
import { outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

/** What befalls a table that others go on writing to: single rows, bulks, edits, deletions. */
const breaks: { what: string; sql: string; setUp?: string }[] = [
  {
    what: "a mapped column is renamed",
    sql: "alter table crm.customer rename phone to telephone",
  },
  { what: "a mapped column is dropped", sql: "alter table crm.customer drop phone" },
  {
    what: "columns are retyped",
    sql: "alter table crm.customer alter company type varchar(80), alter score type numeric",
  },
  {
    what: "a mapped column becomes json",
    sql: "alter table crm.customer alter phone type jsonb using to_jsonb(phone)",
  },
  { what: "the key is retyped", sql: "alter table crm.customer alter id type bigint" },
  {
    what: "the table is swapped for a copy",
    sql: `lock table crm.customer;
      create table crm.copy (like crm.customer including all);
      insert into crm.copy select * from crm.customer;
      grant all on crm.copy to authenticated;
      alter table crm.customer rename to customer_old;
      alter table crm.copy rename to customer`,
  },
  {
    what: "a partition is detached, written to, and attached again",
    setUp: `drop table crm.customer;
      create table crm.customer (
        id int primary key, email text, company text, first_name text, phone text, opt_in boolean, score int
      ) partition by range (id);
      create table crm.low partition of crm.customer for values from (0) to (1000);
      create table crm.high partition of crm.customer for values from (1000) to (1000000)`,
    sql: `alter table crm.customer detach partition crm.low;
      insert into crm.low (id, email, company) values (999, 'n999@example.test', 'apart');
      alter table crm.customer attach partition crm.low for values from (0) to (1000)`,
  },
  { what: "triggers are disabled", sql: "alter table crm.customer disable trigger user" },
  {
    what: "a trigger function is dropped",
    sql: "drop function mautic.log_customer_update() cascade",
  },
  {
    what: "the application gets no rights on anything of ours",
    sql:
      "revoke all on all tables in schema mautic from public, authenticated; revoke all on schema mautic from public, authenticated",
  },
  {
    what: "row level security is forced",
    sql: `alter table crm.customer enable row level security, force row level security;
      create policy all_rows on crm.customer using (true) with check (true)`,
  },
];

interface Writer {
  rounds: number;
  done: Promise<void>;
}

/** Writes in rounds until told to stop. What fails fails the test. */
function startWriter(sync: Sync, number: number, stop: AbortSignal): Writer {
  const writer: Writer = { rounds: 0, done: Promise.resolve() };
  writer.done = (async () => {
    const sql = session(sync);
    await sql`set role authenticated`;
    while (!stop.aborted) {
      const id = number * 50_000 + writer.rounds * 300;
      await sql`
        insert into crm.customer (id, email, company)
        values (${id}, ${`w${id}@example.test`}, 'one')`;
      await sql`update crm.customer set company = ${`edit ${id}`} where id = ${id}`;
      await sql`
        insert into crm.customer (id, email, company)
        select i, 'w' || i || '@example.test', 'bulk'
        from generate_series(${id + 1}::int, ${id + 120}::int) i`;
      await sql`
        update crm.customer set company = ${`bulk ${id}`}
        where id between ${id + 1} and ${id + 120}`;
      await sql`delete from crm.customer where id = ${id + 5}`;
      await sql`update crm.customer set company = ${`again ${id}`} where id = ${number}`;
      writer.rounds += 1;
    }
    await sql.end();
  })();
  return writer;
}

/** As cron does, an hour later. */
async function keepUp(sync: Sync): Promise<void> {
  await sync.sql`select mautic.attach_declared()`;
  await sync.sql`select mautic.read_unseen('1 minute')`;
  await sync.sql`update mautic.attachment set
    read_to_end_at = read_to_end_at - interval '2 hours', compared_at = compared_at - interval '2 hours'`;
  await sync.sql`select pg_stat_force_next_flush()`;
  await sync.sql`select mautic.compare('1 minute')`;
}

for (const { what, sql, setUp = "" } of breaks) {
  Deno.test(`${what} while others write: no write fails, and all of them are in Mautic after the remedy that is named`, async () => {
    await using sync = await startSync();
    await sync.sql.unsafe(`
      create schema crm;
      create table crm.customer (
        id int primary key, email text, company text, first_name text, phone text, opt_in boolean, score int);
      ${setUp};
      grant usage on schema crm to authenticated;
      grant all on crm.customer to authenticated`);
    await sync.sql`select mautic.attach('crm.customer', source => 'customer')`;
    await sync.sql`select mautic.read_unseen('1 minute')`;
    await sync.sql`
      insert into crm.customer (id, email, company)
      select i, 'w' || i || '@example.test', 'first' from generate_series(1, 3) i`;

    const stop = new AbortController();
    const writers = [1, 2, 3].map((number) => startWriter(sync, number, stop.signal));
    const reached = (rounds: number) =>
      sync.until(() => Promise.resolve(writers.every((writer) => writer.rounds >= rounds)));
    try {
      await reached(1);
      await sync.sql.begin((transaction) => transaction.unsafe(sql));
      await reached(Math.max(...writers.map(({ rounds }) => rounds)) + 1);
    } finally {
      stop.abort();
      await Promise.all(writers.map(({ done }) => done));
    }
    await sync.drain();

    for (let round = 1;; round++) {
      const remedies = await sync.sql<{ remedy: string }[]>`
        select distinct remedy from mautic.check_shape() where remedy like 'select %'`;
      if (remedies.length === 0) break;
      assert.ok(round < 4, `still to be done: ${remedies.map(({ remedy }) => remedy).join("; ")}`);
      for (const { remedy } of remedies) await sync.sql.unsafe(remedy);
      await keepUp(sync);
    }
    await keepUp(sync);
    await sync.drain();
    assert.deepEqual(await outbox(sync.sql), []);

    const rows = await sync.sql<{ email: string; company: string }[]>`
      select email, company from crm.customer`;
    assert.ok(rows.length > 3 * 2 * 119);
    const wrong = rows.filter(({ email, company }) =>
      sync.mautic.contactByEmail(email)?.values.get("company") !== company
    );
    assert.deepEqual(wrong, []);
    assert.deepEqual(sync.mautic.duplicateEmails(), []);
  });
}
