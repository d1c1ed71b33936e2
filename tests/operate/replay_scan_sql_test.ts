import assert from "node:assert/strict";
import { claim, origin, settle, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

// A new stage that a select field in Mautic does not know: every lead that gets it dies.
Deno.test("known leads that die do not make their settle read the whole leads table for each", async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.leads disable trigger user`;
  await db.sql`
    insert into public.leads (email) select 'l' || i || '@example.test' from generate_series(1, 200000) i`;
  await db.sql`alter table public.leads enable trigger user`;
  await db.sql`analyze public.leads`;
  const ids = await db.sql<{ id: string }[]>`select id from public.leads limit 50`;
  await db.sql`update public.leads set crm_status = 'known' where id = any (${
    ids.map((row) => row.id)
  }::uuid[])`;
  const worker = await startWorker(db.sql, 600_000);
  const first = await claim(db.sql, worker);
  await settle(
    db.sql,
    first.lease_token,
    first.items.map((item, n) => ({
      lead_id: item.lead_id,
      result: "done",
      contact_id: n + 1,
      address: item.address,
      lead_address: item.address,
      shows_lead: true,
      changed_at: new Date().toISOString(),
    })),
  );
  await db.sql`update public.leads set crm_status = 'unheard of' where id = any (${
    ids.map((row) => row.id)
  }::uuid[])`;
  const second = await claim(db.sql, worker);
  assert.equal(second.items.length, 50);
  const rows = await db.admin.begin(async (sql) => {
    const outcomes = second.items.map((item) => ({
      lead_id: item.lead_id,
      result: "dead",
      error_code: "field_refused",
      error_message: "said no",
    }));
    await sql`select mautic.settle(${origin}, ${second.lease_token}, ${sql.json(outcomes)})`;
    const [read] = await sql<{ rows: number }[]>`
      select coalesce(seq_tup_read, 0)::int as rows from pg_stat_xact_user_tables
      where relid = 'public.leads'::regclass`;
    return read?.rows ?? 0;
  });
  assert.ok(rows < 10_000, `${rows} rows read for 50 dead letters`);
});
