import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";

interface ReadLead {
  lead_id: string;
  address: string | null;
  payload: { fields: Record<string, unknown>; consent: boolean | null; missing: string[] };
}

/** A database without leads, one table, and what attaches it. */
async function databaseWith(...statements: string[]) {
  const db = await testDatabase();
  await db.sql`select mautic.detach('lead')`;
  for (const statement of statements) await db.sql.unsafe(statement);
  return db;
}

const readLeads = (sql: postgres.Sql, ...ids: string[]) =>
  sql<ReadLead[]>`select * from mautic.read_leads(${ids}) order by lead_id`;

const changes = (sql: postgres.Sql) =>
  sql<{ lead_id: string; cause: string }[]>`
    select lead_id, cause from mautic.logged_lead order by id`.then((rows) =>
    rows.map(({ lead_id, cause }) => `${cause} ${lead_id}`)
  );

Deno.test("a table may be called as it likes, with spaces, dots, quotes and reserved words", async () => {
  await using db = await databaseWith(
    `create schema "Our App.v2"`,
    `create type "Our App.v2"."Stage" as enum ('New Lead', 'qualified')`,
    `create table "Our App.v2"."Order.User" (
      "Select" varchar(10) primary key, "E-Mail" text, "from" text, "a.b""c" int,
      "firstName" text, "lastName" text, stage "Our App.v2"."Stage" default 'New Lead',
      "full name" text generated always as ("firstName" || ' ' || "lastName") stored)`,
    `select mautic.attach('"Our App.v2"."Order.User"')`,
    `select mautic.map_field('a', 'a.b"c'), mautic.map_field('b', 'from'), mautic.map_field('c', 'full name')`,
    `insert into "Our App.v2"."Order.User" ("Select", "E-Mail", "from", "a.b""c", "firstName", "lastName")
      values ('k1', 'Ann@Example.test', 'F', 7, 'Ann', 'Lee'), ('contact:1', 'b@example.test', null, null, null, null)`,
    `update "Our App.v2"."Order.User" set "lastName" = 'Poe' where "Select" = 'k1'`,
  );
  assert.deepEqual(await changes(db.sql), [
    "insert k1",
    "insert :contact:1",
    "update k1",
  ]);
  const [b, a] = await readLeads(db.sql, "k1", ":contact:1");
  assert.equal(b?.address, "b@example.test");
  assert.equal(a?.address, "ann@example.test");
  assert.deepEqual(a?.payload.fields, {
    a: 7,
    b: "F",
    c: "Ann Poe",
    firstname: "Ann",
    lastname: "Poe",
    hki_status: "New Lead",
    hki_lead_id: "k1",
  });
});

Deno.test("columns that are called like our own variables and columns are read and watched", async () => {
  const names = ["correlation", "changes", "keys", "lead_id", "id", "status", "source", "n", "o"];
  await using db = await databaseWith(
    `create table public.client ("key" int primary key, email text, email_status text, ${
      names.map((name) => `"${name}" text`).join(", ")
    })`,
    `select mautic.attach('public.client', stage => '', status => 'email_status',
      deleted => 'l.status = ''archived''')`,
    ...names.map((name) => `select mautic.map_field('x_${name}', '${name}')`),
    `insert into public.client ("key", email, correlation, keys, n)
      values (1, 'a@example.test', 'c', 'k', 'n')`,
    `update public.client set o = 'o'`,
  );
  assert.deepEqual(await changes(db.sql), ["insert 1", "update 1"]);
  assert.equal((await db.sql`select from mautic.table_change`).count, 0);
  const [lead] = await readLeads(db.sql, "1");
  assert.deepEqual(
    names.map((name) => lead?.payload.fields[`x_${name}`]),
    ["c", null, "k", null, null, null, null, "n", "o"],
  );
  await db.sql`select mautic.write_email_status('{1}', '{bounced}', array[now()])`;
  const [row] = await db.sql`select email_status from public.client`;
  assert.equal(row?.email_status, "bounced");
});

const keys: [type: string, literal: string, id: string][] = [
  ["varchar(5)", "'abcde'", "abcde"],
  ["char(5)", "'abc'", "abc"],
  ["numeric(10, 2)", "1.50", "1.5"],
  ["timestamptz", "'2026-01-01 10:00:00.123456+02'", "2026-01-01T08:00:00.123456Z"],
  ["date", "'2026-01-31'", "2026-01-31"],
  ["inet", "'10.0.0.1'", "10.0.0.1/32"],
  ["bytea", "'\\x00ff'", "\\x00ff"],
  ["public.shade", "'dark red'", "dark red"],
  ["public.short", "'s'", "s"],
  ["extensions.citext", "'AbC'", "abc"],
];

for (const [type, literal, id] of keys) {
  Deno.test(`a key of type ${type} finds its row, by a change and without one`, async () => {
    await using db = await testDatabase();
    await db.admin`create extension if not exists citext schema extensions`;
    await db.sql`select mautic.detach('lead')`;
    await db.sql`create type public.shade as enum ('dark red')`;
    await db.sql`create domain public.short as varchar(5) check (value <> '')`;
    await db.sql.unsafe(`create table public.client (k ${type} primary key, email text)`);
    await db.sql.unsafe(`insert into public.client values (${literal}, 'before@example.test')`);
    await db.sql`select mautic.attach('public.client')`;
    await db.sql`select mautic.read_unseen()`;
    const known = await db.sql`select lead_id, address from mautic.lead_state`;
    assert.deepEqual([...known], [{ lead_id: id, address: "before@example.test" }]);

    await db.sql`update public.client set email = 'after@example.test'`;
    assert.deepEqual(await changes(db.sql), [`update ${id}`]);
    const [lead] = await readLeads(db.sql, id);
    assert.deepEqual([lead?.lead_id, lead?.address], [id, "after@example.test"]);
  });
}

Deno.test("a key that is too long for its column is no other row's", async () => {
  await using db = await databaseWith(
    `create table public.client (k varchar(3) primary key, email text, price numeric(4, 1) unique not null)`,
    `select mautic.attach('public.client')`,
    `insert into public.client values ('abc', 'a@example.test', 1.5)`,
  );
  assert.deepEqual([...await readLeads(db.sql, "abcd")], []);
});

Deno.test("a key whose text differs from session to session is refused, until another is named", async () => {
  await using db = await databaseWith(
    `create table public.client (weight float8 primary key, number int unique not null, email text)`,
  );
  await assert.rejects(db.sql`select mautic.attach('public.client')`, { code: "42P16" });
  await db.sql`select mautic.attach('public.client', key => 'number')`;
});

Deno.test("a key that begins as the ids of a source that is attached later is not that one's", async () => {
  await using db = await databaseWith(
    `create table public.client (id text primary key, email text)`,
    `create table public.signup (id text primary key, email text)`,
    `select mautic.attach('public.client')`,
    `select mautic.attach('public.signup', source => 'news')`,
    `insert into public.client values ('news:1', 'client@example.test')`,
    `insert into public.signup values ('1', 'signup@example.test')`,
  );
  assert.deepEqual(await changes(db.sql), ["insert :news:1", "insert news:1"]);
  const leads = await readLeads(db.sql, ":news:1", "news:1");
  assert.deepEqual(leads.map(({ lead_id, address }) => [lead_id, address]), [
    [":news:1", "client@example.test"],
    ["news:1", "signup@example.test"],
  ]);
});

Deno.test("a table without times of its own is read in one go and gets known", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text)`,
    `insert into public.client values (1, 'a@example.test')`,
    `select mautic.attach('public.client')`,
  );
  const rows = await db.sql`select lead_id from mautic.read_lead_rows('{1}')`;
  assert.deepEqual([...rows], [{ lead_id: "1" }]);
  await db.sql`select mautic.read_unseen()`;
  const [state] = await db
    .sql`select problem, read_to_end_at is not null as is_known from mautic.attachment`;
  assert.deepEqual(state, { problem: null, is_known: true });
});

Deno.test("an expression about many rows is refused when it is attached, one over another table's is not", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text)`,
    `create table public.orders (client_id int, total int)`,
    `insert into public.client values (1, 'a@example.test')`,
    `insert into public.orders values (1, 20), (1, 30)`,
  );
  for (const score of ["max(l.id)", "row_number() over ()"]) {
    await assert.rejects(
      db.sql`select mautic.attach('public.client', score => ${score})`,
      { code: "42803" },
    );
  }
  const total = "(select sum(o.total) from public.orders o where o.client_id = l.id)";
  await db.sql`select mautic.attach('public.client', score => ${total})`;
  const [lead] = await readLeads(db.sql, "1");
  assert.equal(lead?.payload.fields["hki_score"], 50);
});

Deno.test("a text that is more than one expression is refused, and nothing of it has run", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text)`,
    `create function public.note() returns text language plpgsql volatile
      as 'begin create table public.noted (); return null; end'`,
    `select mautic.attach('public.client')`,
  );
  for (
    const given of [
      "l.email) from public.client l; create table public.noted (); --",
      "l.email) as a from public.client l; create table public.noted (); select (1",
      "l.email) as a, (l.id",
      "l.email) as mautic_probe from public.client l where (true",
      "l.email) as mautic_probe from public.client l, (select) mautic_nothing order by (1",
      "public.note()",
    ]
  ) {
    await assert.rejects(db.sql`select mautic.map_field('custom', ${given})`, given);
  }
  const left = await db.sql`
    select from pg_class where relname in ('noted', 'mautic_probe')
    union all select from mautic.field_map where alias = 'custom'`;
  assert.equal(left.count, 0);
});

Deno.test("whatever Postgres is asked, an expression is kept with its columns qualified", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text, first text, last text)`,
    `select mautic.attach('public.client')`,
    `select mautic.map_field('name', 'first || l.last')`,
  );
  const [field] = await db.sql`select expression from mautic.field_map where alias = 'name'`;
  assert.equal(field?.expression, "(l.first || l.last)");
  await db.sql`select mautic.map_field('name', 'case when l.id > 1 then l.first else last end')`;
  const [branched] = await db.sql`select expression from mautic.field_map where alias = 'name'`;
  assert.match(
    branched?.expression,
    /^CASE\s+WHEN \(l\.id > 1\) THEN l\.first\s+ELSE l\.last\s+END$/,
  );
});

Deno.test("a detached source leaves nothing on its table, whatever that is called by now, nor on those it watched", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text, firm_id int)`,
    `create table public.firm (id int, name text)`,
    `select mautic.attach('public.client')`,
    `select mautic.watch('public.firm', 'select c.id from public.client c where c.firm_id = w.id')`,
    `alter table public.client rename to customer`,
    `select mautic.detach('lead')`,
    `insert into public.firm values (1, 'A')`,
    `insert into public.customer values (1, 'a@example.test', 1)`,
  );
  const left = await db.sql`
    select tgname as name from pg_trigger where tgname like 'mautic\\_%' and tgrelid in ('public.customer'::regclass, 'public.firm'::regclass)
    union all select proname from pg_proc where proname ~ '^(log|watch|read)_lead_'`;
  assert.deepEqual([...left], []);
  assert.deepEqual(await changes(db.sql), []);
});

Deno.test("cron counts the tables that it attached, not those that are still not there", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text)`,
    `select mautic.attach('public.client')`,
    `drop table public.client`,
  );
  const attached = async () => (await db.sql`select mautic.attach_declared() as n`)[0]?.n;
  assert.equal(await attached(), 0);
  await db.sql`create table public.client (id int primary key, email text)`;
  assert.equal(await attached(), 1);
  assert.equal(await attached(), 0);
});

for (
  const type of ["int[]", "public.pair", "public.list", "tstzrange", "public.weight"]
) {
  Deno.test(`a key of type ${type} is refused, as one of floats is`, async () => {
    await using db = await databaseWith(
      "create type public.pair as (a int, b text)",
      "create domain public.list as text[]",
      "create domain public.weight as float8",
      `create table public.client (id ${type} primary key, email text)`,
    );
    await assert.rejects(
      db.sql`select mautic.attach('public.client')`.execute(),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "42P16");
        assert.match(
          error.message,
          /^The key id of public\.client is of type .*, which each session may write differently/,
        );
        return true;
      },
    );
  });
}

Deno.test("a change of what is only kept for later use makes nobody dirty", async () => {
  await using db = await databaseWith(
    `create table public.client (id int primary key, email text, said_at timestamptz, worth int)`,
    `select mautic.attach('public.client', consent_at => 'said_at', value => 'worth')`,
    `insert into public.client values (1, 'a@example.test')`,
  );
  await db.sql`update public.client set said_at = now(), worth = 7`;
  assert.deepEqual(await changes(db.sql), ["insert 1"]);
});

Deno.test("one rule makes a lead id of a key, for one and for many", async () => {
  await using db = await databaseWith(
    `create table public.client (id text primary key, email text)`,
    `create table public.signup (id text primary key, email text)`,
    `select mautic.attach('public.client')`,
    `select mautic.attach('public.signup', source => 'news')`,
  );
  const keys = ["7", ":7", "news:7", "contact:7", "erase:7", "other:7", "", "new:s"];
  const [of] = await db.sql`
    select array_agg(mautic.lead_id_of(a, k.key) order by a.source, k.n) as ids,
      array_agg(mautic.lead_id_of(null, k.key) order by a.source, k.n) filter (where a.prefix = '') as without
    from mautic.attachment a, unnest(${keys}::text[]) with ordinality k(key, n)`;
  const asSql: string[] = [];
  for (const source of ["lead", "news"]) {
    const [written] = await db.sql<{ id: string }[]>`
      select mautic.lead_id_sql(a, 'k.key', 'text'::regtype) as id from mautic.attachment a
      where source = ${source}`;
    const [made] = await db.sql.unsafe(
      `select array_agg(${written?.id} order by n) as ids from unnest($1::text[]) with ordinality k(key, n)`,
      [keys],
    );
    asSql.push(...made?.["ids"]);
  }
  assert.deepEqual(of?.["ids"], asSql);
  assert.deepEqual(of?.["without"], asSql.slice(0, keys.length));
});

Deno.test("a table of which nothing gives the address is attached, and check_shape() says that none of it is sent", async () => {
  await using db = await testDatabase();
  await db.sql`create table public.silent (id int primary key, name text)`;
  await db.sql`select mautic.attach('public.silent', source => 'silent')`;
  const told = await db.sql`select source, name, problem, remedy from mautic.check_shape()`;
  assert.deepEqual([...told], [{
    source: "silent",
    name: "address",
    problem: "nothing gives the address, so no lead of this table is sent",
    remedy:
      "select mautic.attach('public.silent', source => 'silent', address => '<column or expression over l>');",
  }]);
});
