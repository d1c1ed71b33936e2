import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { session, takeChanges } from "./support.ts";

const table = `
  create table public.customer (
    id int primary key, email text, company text, deleted_at timestamptz,
    double text generated always as (company || company) stored
  );
  alter table public.customer enable row level security;
  create policy app on public.customer to anon, authenticated using (true) with check (id < 1000);
  grant all on public.customer to anon, authenticated;
  create table public.incoming (id int, company text);
  insert into public.incoming values (1, 'M'), (2, 'M'), (9, 'M');
  grant all on public.incoming to anon, authenticated;
  create function public.save(p_id int) returns void language plpgsql as $$
    begin
      insert into public.customer (id) values (p_id);
      begin
        update public.customer set company = 'undone' where id = p_id;
        raise exception 'no';
      exception when raise_exception then
        update public.customer set company = 'kept' where id = p_id;
      end;
    end $$`;

/** Ways to write, on a table with the rows 1 to 3, and what is logged of them. */
const ways: [what: string, sql: string, logged: string[]][] = [
  ["insert", "insert into customer (id) values (4), (5)", ["insert 4", "insert 5"]],
  ["insert from itself", "insert into customer select id + 10, email, company from customer", [
    "insert 11",
    "insert 12",
    "insert 13",
  ]],
  [
    "insert or update",
    "insert into customer (id, company) values (1, 'U'), (4, 'U') on conflict (id) do update set company = excluded.company",
    ["insert 4", "update 1"],
  ],
  ["insert or nothing", "insert into customer (id) values (1), (4) on conflict do nothing", [
    "insert 4",
  ]],
  [
    "merge",
    `merge into customer c using incoming i on i.id = c.id
      when matched and i.id = 2 then delete when matched then update set company = i.company
      when not matched then insert (id, company) values (i.id, i.company)`,
    ["delete 2", "insert 9", "update 1"],
  ],
  [
    "two writes in one statement",
    "with gone as (delete from customer where id = 1 returning *), made as (insert into customer (id) values (7)) update customer set company = 'W' where id = 2",
    ["delete 1", "insert 7", "update 2"],
  ],
  ["within a function with an exception", "select save(4)", ["insert 4", "update 4"]],
  ["a key is changed", "update customer set id = id + 100 where id = 1", [
    "delete 1",
    "insert 101",
  ]],
  [
    "keys are swapped",
    "update customer set id = 100 where id = 1; update customer set id = 1 where id = 2; update customer set id = 2 where id = 100",
    [
      "delete 1",
      "delete 100",
      "delete 2",
      "insert 1",
      "insert 100",
      "insert 2",
    ],
  ],
  ["soft deletion", "update customer set deleted_at = now() where id = 1", ["delete 1"]],
  [
    "an update of what was deleted softly",
    "insert into customer (id, deleted_at) values (8, now()); update customer set company = 'x' where id = 8",
    [],
  ],
  [
    "an undeletion",
    "insert into customer (id, deleted_at) values (8, now()); update customer set deleted_at = null where id = 8",
    ["insert 8"],
  ],
  ["truncate", "truncate customer", ["table truncate customer"]],
  ["truncate with others", "truncate customer, incoming restart identity cascade", [
    "table truncate customer",
  ]],
  ["delete all", "delete from customer", ["delete 1", "delete 2", "delete 3"]],
  ["an update that changes nothing", "update customer set company = company, email = email", []],
  ["an update of no row", "update customer set company = 'x' where false", []],
  [
    "a cursor's row",
    "do $$ declare c cursor for select * from customer where id = 2 for update; r record; begin open c; fetch c into r; update customer set company = 'x' where current of c; end $$",
    ["update 2"],
  ],
  [
    "a rolled back savepoint",
    "do $$ begin begin insert into customer (id) values (4); raise exception 'no'; exception when others then null; end; insert into customer (id) values (5); end $$",
    ["insert 5"],
  ],
  [
    "dynamic SQL",
    "do $$ begin execute format('insert into %I (id) values ($1)', 'customer') using 4; end $$",
    ["insert 4"],
  ],
];

/** Sessions as applications have them. */
const sessions: [what: string, settings: string[]][] = [
  ["anon", ["set role anon"]],
  ["authenticated", ["set role authenticated"]],
  ["another schema first", ["set search_path = pg_temp, public", "set role authenticated"]],
  ["public hidden behind pg_catalog", [
    "set search_path = public, pg_catalog",
    "create function pg_temp.count() returns int language sql as 'select 1'",
  ]],
  [
    "temporary tables that are called as ours",
    [
      "set role authenticated",
      "create temp table lead_change (a int)",
      "create temp table new_lead (a int)",
      "create temp table old_lead (a int)",
      "create temp table setting (a int)",
      "set search_path = public",
    ],
  ],
  ["impatient", [
    "set statement_timeout = '20s'",
    "set lock_timeout = '1s'",
    "set idle_in_transaction_session_timeout = '20s'",
  ]],
  [
    "odd settings",
    [
      "set datestyle = 'SQL, DMY'",
      "set timezone = 'Pacific/Chatham'",
      "set intervalstyle = 'iso_8601'",
      "set bytea_output = 'escape'",
      "set standard_conforming_strings = off",
      "set quote_all_identifiers = on",
      "set transform_null_equals = on",
      "set array_nulls = off",
      "set check_function_bodies = off",
      "set row_security = on",
      "set default_transaction_deferrable = on",
      "set client_min_messages = error",
      "set plan_cache_mode = force_generic_plan",
      "set enable_hashjoin = off",
      "set enable_mergejoin = off",
    ],
  ],
  ["our own settings misused", [
    "set mautic.changes = 'x'",
    "set mautic.doorbell = 'answered'",
    "set mautic.correlation_id = E'a\\nb'",
    "set request.headers = '{'",
  ]],
];

for (const [who, settings] of sessions) {
  for (const isolation of ["read committed", "repeatable read", "serializable"]) {
    Deno.test(`every way of writing is logged: ${who}, ${isolation}`, async () => {
      await using db = await testDatabase();
      await db.sql.unsafe(table);
      await db.sql`select mautic.attach('public.customer', source => 'customer')`;
      const app = session(db);
      for (const statement of settings) await app.unsafe(statement);
      for (const [what, sql, logged] of ways) {
        await db.sql`truncate public.customer`;
        await db.sql`insert into public.customer (id, company) values (1, 'C'), (2, 'C'), (3, 'C')`;
        await takeChanges(db.sql);
        await app.begin(`isolation level ${isolation}`, (transaction) => transaction.unsafe(sql))
          .catch((error) => assert.fail(`${what}: ${error}`));
        const changes = (await takeChanges(db.sql)).map((change) =>
          change.replace("customer:", "")
        );
        // What cannot be compared is logged by its key.
        const keysOf = (list: string[]) =>
          [...new Set(list.map((change) => change.split(" ").pop()))].sort();
        if (who === "our own settings misused") {
          for (const key of keysOf(logged)) assert.ok(keysOf(changes).includes(key), what);
        } else assert.deepEqual(changes, [...logged].sort(), what);
      }
      await app.end();
    });
  }
}

Deno.test("a COPY is logged", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(table);
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  const into = await db.sql`copy public.customer (id, company) from stdin`.writable();
  await new Promise<void>((resolve, reject) => {
    into.on("error", reject).on("finish", resolve).end("1\tA\n2\tB\n");
  });
  assert.deepEqual(await takeChanges(db.sql), ["insert customer:1", "insert customer:2"]);
});

Deno.test("with session_replication_role = replica a write succeeds", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(table);
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  const app = db.admin;
  await app`set session_replication_role = replica`;
  await app`insert into public.customer (id) values (1)`;
  await app`update public.customer set company = 'C'`;
  await app`delete from public.customer`;
  await app`truncate public.customer`;
  await app`reset session_replication_role`;
  await app`alter table public.customer enable always trigger mautic_customer_insert`;
  await app`set session_replication_role = replica`;
  await app`insert into public.customer (id) values (2)`;
  await app`reset session_replication_role`;
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  const [always] = await db
    .sql`select tgenabled from pg_trigger where tgname = 'mautic_customer_insert'`;
  assert.equal(always?.tgenabled, "A");
  assert.deepEqual(await takeChanges(db.sql), ["insert customer:2"]);
});

Deno.test("serialisable writers of different leads are kept from each other by nothing of ours", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(table);
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  const [one, two] = [session(db), session(db)];
  await one.begin("isolation level serializable", async (a) => {
    await two.begin("isolation level serializable", async (b) => {
      await a`insert into public.customer (id) values (1)`;
      await b`insert into public.customer (id) values (2)`;
      await a`update public.customer set company = 'A' where id = 1`;
      await b`update public.customer set company = 'B' where id = 2`;
    });
  });
  await Promise.all([one.end(), two.end()]);
  assert.equal((await takeChanges(db.sql)).length, 4);
});
