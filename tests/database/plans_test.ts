import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";
import { claim, origin, settle, startWorker } from "./support.ts";

/** Rows that scans of whole tables have read in schema mautic, the one row of `sending` aside. */
async function rowsScanned(sql: postgres.Sql): Promise<number> {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<{ rows: number }[]>`
    select coalesce(sum(seq_tup_read), 0)::int as rows
    from pg_stat_user_tables
    where schemaname = 'mautic' and relname not in ('sending', 'setting', 'worker')`;
  return row!.rows;
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
