import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { claim, settle, startWorker } from "../support/leads.ts";
import { takeChanges } from "./support.ts";

const table = "create table public.customer (id int primary key, email text, company text)";
const write =
  "insert into public.customer (id) values (1); update public.customer set company = 'C'; delete from public.customer where id = 1; truncate public.customer";
const seen = [
  "delete customer:1",
  "insert customer:1",
  "table truncate customer",
  "update customer:1",
];

const harm: [what: string, sql: string][] = [
  [
    "a trigger is switched off",
    "alter table public.customer disable trigger mautic_customer_update",
  ],
  ["all triggers are switched off", "alter table public.customer disable trigger user"],
  [
    "triggers fire for replicas only",
    "alter table public.customer enable replica trigger mautic_customer_insert",
  ],
  [
    "a trigger is renamed",
    "alter trigger mautic_customer_update on public.customer rename to audit",
  ],
  ["a trigger is dropped", "drop trigger mautic_customer_delete on public.customer"],
  [
    "trigger functions are dropped",
    "drop function mautic.log_customer_insert(), mautic.log_customer_truncate() cascade",
  ],
  ["a reader is dropped", "drop function mautic.read_customer_rows(text[]) cascade"],
  [
    "the table is swapped",
    "create table public.fresh (like public.customer including all); alter table public.customer rename to stale; alter table public.fresh rename to customer",
  ],
  ["the table is dropped and made again", `drop table public.customer; ${table}`],
  [
    "the table is made a partitioned one",
    `alter table public.customer rename to stale;
    create table public.customer (id int primary key, email text, company text) partition by range (id);
    create table public.customer_1 partition of public.customer default`,
  ],
];
for (const [what, sql] of harm) {
  for (
    const remedy of [
      "mautic.attach('public.customer', source => 'customer')",
      "mautic.attach_declared()",
    ]
  ) {
    // Cron looks whether it is the same table.
    if (remedy.includes("declared") && !/ table is /.test(`the ${what}`)) continue;
    if (remedy.includes("declared") && !what.startsWith("the table")) continue;
    Deno.test(`${what}: writes succeed, and ${remedy.slice(0, remedy.indexOf("("))} sees every one again, once`, async () => {
      await using db = await testDatabase();
      await db.sql.unsafe(
        `${table}; select mautic.attach('public.customer', source => 'customer')`,
      );
      await db.sql.unsafe(sql);
      await db.sql.unsafe(write);
      await db.sql.unsafe(`select ${remedy}`);
      await takeChanges(db.sql);
      for (const statement of write.split("; ")) await db.sql.unsafe(statement);
      assert.deepEqual(await takeChanges(db.sql), seen);
      await db.sql.unsafe("insert into public.customer (id, email) values (5, 'a@example.test')");
      assert.equal((await db.sql`select from mautic.read_leads('{customer:5}')`).count, 1);
      const [stale] = await db
        .sql`select count(*)::int as n from pg_trigger where tgname like 'mautic_customer%' or tgname = 'audit'`;
      assert.equal(stale?.n, 4);
    });
  }
}

Deno.test("a trigger of another name is none that is missing, and a table that was renamed is told by its new one", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(`${table}; select mautic.attach('public.customer', source => 'customer')`);
  const problems = () =>
    db.sql<{ problem: string; remedy: string }[]>`
      select problem, remedy from mautic.check_shape() where source = 'customer'`;
  await db.sql`alter trigger mautic_customer_update on public.customer rename to audit`;
  assert.deepEqual([...await problems()], []);
  await db.sql`alter table public.customer disable trigger audit`;
  const [disabled] = await problems();
  assert.match(disabled!.problem, /is disabled/);
  await db.sql.unsafe(disabled!.remedy);
  assert.deepEqual([...await problems()], []);

  await db.sql`alter table public.customer rename to "Clients"`;
  const [renamed] = await problems();
  assert.match(renamed!.problem, /gone: it is called public\."Clients" now/);
  await db.sql.unsafe(renamed!.remedy);
  assert.deepEqual([...await problems()], []);
  await db.sql`drop table public."Clients"`;
  assert.match((await problems())[0]!.remedy, /detach/);
});

Deno.test("a partitioned table is followed through its parent, and its partitions come and go", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(`
    create table public.customer (id int, made date, email text, primary key (id, made)) partition by range (made);
    create table public.customer_1 partition of public.customer for values from ('2026-01-01') to ('2026-02-01');
    create table public.customer_2 partition of public.customer for values from ('2026-02-01') to ('2026-03-01')`);
  await assert.rejects(
    db.sql`select mautic.attach('public.customer', source => 'customer')`.execute(),
    /several columns \(id, made\)/,
  );
  await db.sql`select mautic.attach('public.customer', source => 'customer', key => 'id')`;
  await db.sql`insert into public.customer values (1, '2026-01-05', 'a@example.test')`;
  await db.sql`update public.customer set made = '2026-02-05', email = 'b@example.test'`;
  assert.deepEqual(await takeChanges(db.sql), ["insert customer:1", "update customer:1"]);
  await db.sql`
    merge into public.customer c using (values (1), (2)) v(id) on c.id = v.id
    when matched then update set made = '2026-01-06', email = 'c@example.test'
    when not matched then insert values (v.id, '2026-01-07', 'd@example.test')`;
  // A row that MERGE moves to another partition is an inserted one to Postgres.
  assert.deepEqual(await takeChanges(db.sql), ["insert customer:1", "insert customer:2"]);
  await db.sql.unsafe(`
    create table public.customer_3 (like public.customer including all);
    insert into public.customer_3 values (3, '2026-03-05', 'e@example.test');
    alter table public.customer attach partition public.customer_3 for values from ('2026-03-01') to ('2026-04-01');
    insert into public.customer_1 values (4, '2026-01-05', 'f@example.test');
    update public.customer_1 set email = 'g@example.test';
    alter table public.customer detach partition public.customer_2;
    drop table public.customer_2;
    truncate public.customer_3`);
  await db.sql`select mautic.attach('public.customer', source => 'customer', key => 'id')`;
  await db.sql`delete from public.customer where id = 4`;
  assert.deepEqual(await takeChanges(db.sql), ["delete customer:4"]);
});

Deno.test("children of a table are rows of it", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(
    `${table}; create table public.vip (extra text, primary key (id)) inherits (public.customer)`,
  );
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  await db.sql`insert into public.vip (id, email) values (1, 'a@example.test')`;
  await db.sql`update public.customer set company = 'C'`;
  assert.deepEqual(await takeChanges(db.sql), ["update customer:1"]);
  assert.equal((await db.sql`select from mautic.read_leads('{customer:1}')`).count, 1);
});

Deno.test("detach leaves nothing behind, wherever the table has gone", async () => {
  await using db = await testDatabase();
  const things = () =>
    db.sql<{ thing: string }[]>`
    select 'function ' || p.oid::regprocedure as thing from pg_proc p where p.pronamespace = 'mautic'::regnamespace
    union all select 'trigger ' || t.tgname from pg_trigger t where not t.tgisinternal
    union all select 'type ' || t.typname from pg_type t where t.typnamespace = 'mautic'::regnamespace
    order by 1`;
  const rows = async () => {
    const counts: Record<string, number> = {};
    for (
      const name of [
        "attachment",
        "role",
        "field_map",
        "lead_state",
        "lead_change",
        "table_change",
        "outbox",
      ]
    ) {
      const [row] = await db.sql`select count(*)::int as n from ${db.sql(`mautic.${name}`)}`;
      counts[name] = row?.n;
    }
    return counts;
  };
  const before = [await things(), await rows()];
  for (
    const move of [
      "select 1",
      "alter table public.customer rename to elsewhere",
      "create schema away; alter table public.customer set schema away",
      "drop table public.customer",
      "alter trigger mautic_customer_update on public.customer rename to audit",
      "drop function mautic.log_customer_insert() cascade",
    ]
  ) {
    await db.sql.unsafe(
      `drop table if exists public.customer, public.elsewhere; ${table}; select mautic.attach('public.customer', source => 'customer')`,
    );
    await db.sql`select mautic.map_field('note', 'company', source => 'customer')`;
    await db.sql.unsafe(`${write}; insert into public.customer (id) values (2)`);
    await db.sql`select mautic.read_unseen()`;
    await db.sql.unsafe(move);
    await db.sql`select mautic.detach('customer')`;
    assert.deepEqual([await things(), await rows()], before, move);
  }
});

Deno.test("what is with a worker while its table is attached again is tried at once, not ten minutes later", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  await sql.unsafe(
    `create schema crm; create table crm.customer (id int primary key, email text, company text)`,
  );
  await sql`select mautic.attach('crm.customer', source => 'customer')`;
  await sql`alter table crm.customer rename company to company_name`;
  await sql`insert into crm.customer values (1, 'a@example.test', 'C')`;
  const worker = await startWorker(sql);
  const { lease_token, items } = await claim(sql, worker);
  assert.deepEqual(items.map(({ payload }) => payload?.missing), [["company"]]);
  await sql`select mautic.attach('crm.customer', source => 'customer')`;
  const waits = {
    lead_id: "customer:1",
    result: "postponed",
    delay_ms: 600_000,
    error_code: "unreadable",
  };
  await settle(sql, lease_token, [waits]);
  const again = await claim(sql, worker);
  assert.deepEqual(again.items.map(({ payload }) => payload?.missing), [[]]);
});
