import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";
import { claim, origin, settle, startWorker } from "../support/leads.ts";

/** Rows that scans of whole tables have read in schema mautic, the one row of `sending` aside. */
async function rowsScanned(sql: postgres.Sql): Promise<number> {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<{ rows: number }[]>`
    select coalesce(sum(seq_tup_read), 0)::int as rows
    from pg_stat_user_tables
    where schemaname = 'mautic' and relname not in ('sending', 'setting', 'worker')`;
  return row!.rows;
}

/** Index entries that scans have read of what is kept of contacts. */
async function entriesScanned(sql: postgres.Sql): Promise<number> {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<{ entries: number }[]>`
    select coalesce(sum(idx_tup_read), 0)::int as entries
    from pg_stat_user_indexes
    where schemaname = 'mautic' and relname in ('contact', 'contact_link', 'subscription')`;
  return row!.entries;
}

/** Claims and settles one batch, as done. */
async function work(sql: postgres.Sql, worker: string): Promise<number> {
  const { items, lease_token } = await claim(sql, worker);
  const outcomes = items.map(({ lead_id, address }) => ({
    lead_id,
    result: "done",
    contact_id: Number.parseInt(lead_id.slice(0, 8), 16),
    address,
    lead_address: address,
    do_not_contact: [],
    snapshot: {},
    shows_lead: true,
    changed_at: "2026-01-01T00:00:00Z",
  }));
  if (items.length > 0) await settle(sql, lease_token, outcomes);
  await sql`select mautic.has_work()`;
  return items.length;
}

async function deliver(sql: postgres.Sql, name: string, events: number): Promise<void> {
  const told = Array.from({ length: events }, (_, index) => ({
    address: `${name}-${index}@example.test`,
    contact_id: null,
    kind: "bounced",
    detail: {},
  }));
  await sql`select mautic.receive_delivery(${name}, ${sql.json(told)}, ${origin}, false, 'c')`;
}

/** A session plans a statement anew for its first calls, and then keeps the plan. */
const callsUntilKept = 8;

Deno.test("a session that was there when the queue was empty reads none of it whole once it is full", async () => {
  await using db = await testDatabase();
  const { admin: sql } = db;
  const worker = await startWorker(sql, 600_000);
  // The tables are empty and known to be, as autovacuum finds them.
  await sql`vacuum analyze`;
  for (let call = 0; call < callsUntilKept; call++) {
    await sql`insert into public.leads (email) values (${`first-${call}@example.test`})`;
    assert.equal(await work(sql, worker), 1);
  }
  const before = await rowsScanned(sql);
  const leads = 6_000;
  await sql`insert into public.leads (email)
    select 'many-' || i || '@example.test' from generate_series(1, ${leads}::int) i`;
  for (let batch = 0; batch < 3; batch++) assert.equal(await work(sql, worker), 50);
  const scanned = await rowsScanned(sql) - before;
  assert.ok(scanned < 2 * leads, `${scanned} rows for 3 batches of ${leads} leads`);
});

Deno.test("nor is an index read whole for each lead of a batch while nobody has analyzed the contacts", async () => {
  await using db = await testDatabase();
  const { admin: sql } = db;
  const worker = await startWorker(sql, 600_000);
  await sql`alter table mautic.contact set (autovacuum_enabled = false)`;
  await sql`alter table mautic.contact_link set (autovacuum_enabled = false)`;
  await sql`insert into public.leads (email)
    select 'many-' || i || '@example.test' from generate_series(1, 1050) i`;
  for (let batch = 0; batch < 20; batch++) assert.equal(await work(sql, worker), 50);
  const before = await entriesScanned(sql);
  assert.equal(await work(sql, worker), 50);
  const scanned = await entriesScanned(sql) - before;
  // One join over all of them is nothing; one for each lead was 154,275.
  assert.ok(scanned < 3_000, `${scanned} entries for a batch of 50 beside 1,000 contacts`);
});

Deno.test("nor does one that was there when the inbox was empty", async () => {
  await using db = await testDatabase();
  const { admin: sql } = db;
  await sql`vacuum analyze`;
  for (let call = 0; call < callsUntilKept; call++) await deliver(sql, `first-${call}`, 2);
  const before = await rowsScanned(sql);
  const events = 1_000;
  for (let call = 0; call < 5; call++) await deliver(sql, `many-${call}`, events);
  const scanned = await rowsScanned(sql) - before;
  assert.ok(scanned < 10 * events, `${scanned} rows for 5 deliveries of ${events} events`);
});

Deno.test("a look for work reads none of what waits, if the session has looked when nothing did", async () => {
  await using db = await testDatabase();
  const { admin: sql } = db;
  await sql`vacuum analyze`;
  for (let call = 0; call < callsUntilKept; call++) await sql`select mautic.has_work()`;
  const waiting = 2_000;
  await sql`
    insert into mautic.outbox (lead_id, state, not_before, correlation_id, enqueued_at, changed_at)
    select i::text, 'waiting', now() + interval '1 hour', 'c', now(), now()
    from generate_series(1, ${waiting}::int) i`;
  const before = await rowsScanned(sql);
  for (let look = 0; look < 3; look++) {
    assert.deepEqual([...await sql`select mautic.has_work()`], [{ has_work: false }]);
  }
  assert.ok(await rowsScanned(sql) - before < waiting);
});

Deno.test("nor does an intended enrolment read those of others", async () => {
  await using db = await testDatabase();
  const { admin: sql } = db;
  await sql`vacuum analyze`;
  const intend = (contact: number) =>
    sql`select mautic.intend_enrollment(${origin}, 1, ${contact}, null, 'c', 1000)`;
  for (let call = 0; call < callsUntilKept; call++) await intend(call + 1);
  const others = 2_000;
  await sql`
    insert into mautic.enrollment (origin, campaign_id, contact_id, correlation_id)
    select ${origin}, 1, i, 'c' from generate_series(100, ${100 + others}::int) i`;
  const before = await rowsScanned(sql);
  for (let call = 0; call < 3; call++) await intend(50 + call);
  assert.ok(await rowsScanned(sql) - before < others);
});

/** A run of the reconciliation, as far as the database has to do with it. */
async function reconcile(sql: postgres.Sql, from: number, rows: number): Promise<void> {
  await sql`select mautic.start_reconcile(${origin}, 0)`;
  const entries = Array.from({ length: rows }, (_, index) => ({
    id: from + index,
    contact_id: from + index,
    channel: "email",
    kind: "unsubscribed",
    added_at: "2026-01-01T00:00:00Z",
  }));
  const upto = from + rows - 1;
  await sql`select mautic.record_do_not_contact(
    ${origin}, ${sql.json(entries)}, ${from - 1}, ${upto}, 'c')`;
  await sql`select mautic.assert_do_not_contact(${origin}, ${from - 1}, ${Math.max(rows, 1)}, 'c')`;
  const lifted = entries.map(({ contact_id, added_at }) => ({
    contact_id,
    state_at: added_at,
    result: "lifted",
  }));
  await sql`select mautic.settle_check(${origin}, ${sql.json(lifted)}, 'c')`;
}

Deno.test("nor does a reconciliation, if there was nobody to reconcile for long", async () => {
  await using db = await testDatabase();
  const { admin: sql } = db;
  await sql`vacuum analyze`;
  for (let run = 0; run < callsUntilKept; run++) await reconcile(sql, run + 1, 0);
  const leads = 4_000;
  await sql`insert into public.leads (email)
    select 'many-' || i || '@example.test' from generate_series(1, ${leads}::int) i`;
  await sql`
    insert into mautic.contact_link (origin, lead_id, contact_id)
    select ${origin}, id::text, row_number() over (order by id) from public.leads`;
  const before = await rowsScanned(sql);
  for (let page = 0; page < 4; page++) await reconcile(sql, 1 + page * 500, 500);
  const scanned = await rowsScanned(sql) - before;
  assert.ok(scanned < 4 * leads, `${scanned} rows for 4 pages, ${leads} leads`);
});
