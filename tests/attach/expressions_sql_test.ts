import assert from "node:assert/strict";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { session } from "./support.ts";

async function start(): Promise<TestDatabase> {
  const db = await testDatabase();
  await db.sql.unsafe(`
    create table public.customer (
      id int primary key, email text, keys text, "%s" text, tags text[], profile json, consented_at timestamptz,
      opt_in boolean, answer text, asked boolean generated always as (consented_at is not null) stored);
    create sequence public.counter;
    create table public.loot (a text);
    create function public.volatile_one() returns text language sql volatile as 'select ''x''';
    create function public.several() returns setof text language sql stable as 'select ''x''';
    create function public.own_sum(text) returns text language plpgsql immutable as 'begin return upper($1); end'`);
  await db
    .sql`select mautic.attach('public.customer', source => 'customer', consent => '', address => 'email')`;
  await db
    .sql`insert into public.customer (id, email, keys, "%s", tags) values (1, 'a@example.test', 'K', '%I', '{a,b}')`;
  return db;
}

const refused: string[] = [
  "l.email; drop table public.loot",
  "l.email); drop table public.loot; select (1",
  "l.email) from public.customer l; insert into public.loot values ('x'); select (l.email",
  "l.email) as mautic_probe from public.customer l union all select (l.keys",
  "l.email) as mautic_probe from public.customer l, (select) mautic_row union select (l.keys",
  "l.email) into public.stolen from public.customer l union select (l.email",
  "l.email) from public.customer l where (true",
  "l.email) order by (1",
  "l.email limit 1",
  "l.email as x",
  "distinct l.email",
  "l.email, l.keys",
  "l.email /* never closed",
  "(l.email",
  "l.email)",
  "'never closed",
  "$$never closed",
  "$1",
  ":name",
  "",
  "  ",
  "-- only a comment",
  "l.nothing",
  "l",
  "l.*",
  "l.ctid",
  "l.xmin::text",
  "l.tableoid::regclass::text",
  "row(1, 2)",
  "array[l.email]",
  "l.tags",
  "l.profile",
  "'public.customer'::regclass",
  "decode('00', 'hex')",
  "max(l.email)",
  "count(*)",
  "string_agg(l.email, ',') over ()",
  "row_number() over ()",
  "unnest(l.tags)",
  "generate_series(1, 2)",
  "public.several()",
  "regexp_split_to_table(l.email, '@')",
  "random()::text",
  "case when random() < 0.5 then 'a' else 'b' end",
  "nextval('public.counter')",
  "(select nextval('public.counter'))",
  "clock_timestamp()",
  "public.volatile_one()",
  "gen_random_uuid()",
  "pg_sleep(10)::text",
  "set_config('search_path', 'public', false)",
  "(select a from public.loot for update)",
  "(with gone as (delete from public.loot returning a) select a from gone)",
  "(with made as (insert into public.loot values ('x') returning a) select a from made)",
];
const kept: [expression: string, value: string | null][] = [
  ["email", "a@example.test"],
  ["keys", "K"],
  ["%s", "%I"],
  [`l."%s" || '%s %I %L %1$s %%'`, "%I%s %I %L %1$s %%"],
  ["l.email -- who", "a@example.test"],
  ["l.email /* who */", "a@example.test"],
  ["$$it's$$", "it's"],
  ["$body$ $sql$ \\n \" ' $body$", ` $sql$ \\n " ' `],
  ["'; drop table public.loot; --'", "; drop table public.loot; --"],
  ["null", null],
  ["case when l.email is null then 'none' else upper(l.keys) end", "K"],
  ["(select string_agg(t, '+') from unnest(l.tags) t)", "a+b"],
  ["array_to_string(l.tags, ', ')", "a, b"],
  ["(select c.keys from public.customer c where c.id = l.id)", "K"],
  ["public.own_sum(l.keys)", "K"],
  ['l.keys::pg_catalog.text collate "C"', "K"],
  ["to_jsonb(l) ->> 'keys'", "K"],
  ["(select x.keys from (select 'inner' as keys) x)", "inner"],
  [`${"(".repeat(200)}l.keys${")".repeat(200)}`, "K"],
  [`'${"x".repeat(50_000)}' || l.keys`, `${"x".repeat(50_000)}K`],
];

Deno.test("what is not one harmless expression over a row is refused, and does nothing", async () => {
  await using db = await start();
  const accepted: string[] = [];
  for (const role of ["map_field", "address", "scope", "deleted", "changed_at"]) {
    for (const expression of refused.filter((one) => role === "map_field" || one.trim() !== "")) {
      const call = role === "map_field"
        ? db.sql`select mautic.map_field('probe', ${expression}, source => 'customer')`
        : db.sql.unsafe(
          `select mautic.attach('public.customer', source => 'customer', ${role} => $1)`,
          [expression],
        );
      await call.then(() => accepted.push(`${role}: ${expression}`), (error) => {
        assert.match(String(error.code), /^(42|22|0A)/, `${expression}: ${error}`);
      });
    }
  }
  assert.deepEqual(accepted, []);
  assert.equal((await db.sql`select from public.loot`).count, 0);
  assert.equal((await db.sql`select from mautic.field_map where alias = 'probe'`).count, 0);
  assert.deepEqual([...await db.sql`select is_called from public.counter`], [{ is_called: false }]);
});

Deno.test("an expression is kept as one, whatever it holds, and read as it was meant", async () => {
  await using db = await start();
  for (const [n, [expression]] of kept.entries()) {
    await db.sql`select mautic.map_field(${`probe_${n}`}, ${expression}, source => 'customer')`;
  }
  // Kept it is: read anew, it stays what it is.
  await db
    .sql`select mautic.attach('public.customer', source => 'customer', consent => '', address => 'email')`;
  const [lead] = await db
    .sql`select payload -> 'fields' as fields, payload -> 'missing' as missing from mautic.read_leads('{customer:1}')`;
  assert.deepEqual(lead?.missing, []);
  for (const [n, [expression, value]] of kept.entries()) {
    assert.equal(lead?.fields[`probe_${n}`], value, expression);
  }
  await db.sql`update public.customer set email = 'b@example.test'`;
  assert.equal((await db.sql`select from mautic.lead_change where cause = 'update'`).count, 1);
  assert.equal((await db.sql`select from mautic.table_change`).count, 0);
});

const silent = [
  "l.consented_at is not null",
  "not (l.consented_at is null)",
  "l.consented_at is distinct from null",
  "not l.consented_at is not distinct from null",
  "case when l.consented_at is null then false else true end",
  "case when l.consented_at is null then 'no' else 'yes' end",
  "coalesce(l.consented_at is not null, false)",
  "(l.consented_at is not null)::int",
  "(l.consented_at is not null)::text",
  "cast(l.consented_at is not null as varchar(5))",
  "num_nonnulls(l.consented_at) = 1",
  "coalesce(l.consented_at, 'infinity') < 'infinity'",
  "(l.consented_at = l.consented_at) is true",
  "l.answer is not null and l.answer <> ''",
  "length(coalesce(l.answer, '')) > 0",
  "exists (select from (select l.consented_at as at) x where x.at is not null)",
  "asked",
];
Deno.test("a consent that takes silence as a no is refused, however it is written", async () => {
  await using db = await start();
  for (const consent of silent) {
    await assert.rejects(
      db.sql`select mautic.attach('public.customer', source => 'customer', consent => ${consent})`
        .execute(),
      /nothing this says no.*yes, no and null/,
      consent,
    );
  }
});

const said: [consent: string, values: Record<string, boolean | null>][] = [
  ["consented_at", {
    "consented_at = '2020-01-01'": true,
    "consented_at = null": null,
    "consented_at = '2999-01-01'": null,
  }],
  ["opt_in", { "opt_in = true": true, "opt_in = false": false, "opt_in = null": null }],
  ["case when l.answer = 'A' then true when l.answer = 'B' then false end", {
    "answer = 'A'": true,
    "answer = 'B'": false,
    "answer = 'C'": null,
  }],
  ["case l.answer when 'A' then 'yes' when 'B' then 'no' end", {
    "answer = 'A'": true,
    "answer = 'B'": false,
    "answer = null": null,
  }],
  ["l.answer = 'A'", { "answer = 'A'": true, "answer = 'B'": false, "answer = null": null }],
  ["case when l.consented_at is not null then true end", {
    "consented_at = now()": true,
    "consented_at = null": null,
  }],
  ["answer", {
    "answer = ' JA '": true,
    "answer = '0'": false,
    "answer = 'Off'": false,
    "answer = ''": null,
    "answer = null": null,
  }],
];
Deno.test("a consent with a yes, a no and a silence is read as it is meant", async () => {
  await using db = await start();
  for (const [consent, values] of said) {
    await db
      .sql`select mautic.attach('public.customer', source => 'customer', consent => ${consent})`;
    for (const [assignment, expected] of Object.entries(values)) {
      await db.sql.unsafe(`update public.customer set ${assignment}`);
      const [lead] = await db
        .sql`select payload -> 'consent' as consent, payload -> 'missing' as missing from mautic.read_leads('{customer:1}')`;
      assert.deepEqual(
        { ...lead },
        { consent: expected, missing: [] },
        `${consent}: ${assignment}`,
      );
    }
  }
});

Deno.test("neither service_role nor the public roles can attach, map or detach, nor call what is generated", async () => {
  await using db = await start();
  for (const role of ["anon", "authenticated", "service_role"]) {
    const app = session(db);
    await app.unsafe(`set role ${role}`);
    for (
      const call of [
        "mautic.attach('public.customer', source => 'customer')",
        "mautic.map_field('x', 'email')",
        "mautic.unmap_field('x')",
        "mautic.detach('customer')",
        "mautic.attach_declared()",
        "mautic.read_customer_rows('{1}')",
        "mautic.read_leads('{customer:1}')",
        "mautic.make_function('f', '', 'int', '', 'x')",
        "mautic.read_expression('public.customer', 'x', '1')",
        "mautic.log_customer_insert()",
      ]
    ) {
      await assert.rejects(
        app.unsafe(`select ${call}`),
        (error: Error & { code?: string }) => error.code === "42501",
        call,
      );
    }
    await app.end();
  }
});

Deno.test("types that a writer brings along do not run with the rights of a trigger", async () => {
  await using db = await start();
  await db.sql.unsafe(`
    alter table public.customer add deleted boolean, add state text;
    grant all on public.customer to authenticated; grant insert on public.loot to authenticated`);
  await db
    .sql`select mautic.attach('public.customer', source => 'customer', consent => '', deleted => ${"l.state = 'gone'"})`;
  const app = session(db);
  await app.unsafe(`
    set role authenticated;
    select set_config('request.headers', '{"x-correlation-id": "abc"}', false);
    create function pg_temp.evil(anyelement) returns boolean language plpgsql as
      'begin insert into public.loot values (current_user); return true; end'`);
  for (
    const type of [
      "text",
      "name",
      "json",
      "jsonb",
      "uuid",
      "timestamptz",
      "bool",
      "int4",
      "int8",
      "regclass",
      "date",
    ]
  ) {
    await app.unsafe(
      `create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.evil(value))`,
    );
  }
  for (const misuse of ["reset mautic.changes", "set mautic.changes = 'x'"]) {
    await app.unsafe(misuse);
    await app`insert into public.customer (id, email) values (2, 'b@example.test')`;
    await app`update public.customer set email = 'c@example.test', keys = 'x' where id = 2`;
    await app`update public.customer set state = 'gone' where id = 2`;
    await app`delete from public.customer where id = 2`;
    await app`truncate public.customer`;
  }
  await app.end();
  // What pg_net does with its own rights is pg_net's.
  assert.deepEqual([...await db.sql`select from public.loot where a = 'postgres'`], []);
  assert.ok((await db.sql`select from mautic.logged_lead where lead_id = 'customer:2'`).count >= 6);
});
