import assert from "node:assert/strict";
import { outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";
import { session } from "./support.ts";

const keys: [type: string, values: string[]][] = [
  ["int2", ["-1", "0", "32767"]],
  ["int4", ["1", "-2147483648"]],
  ["int8", ["1", "9223372036854775807"]],
  ["uuid", ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"]],
  ["text", [
    "''",
    "' '",
    "'contact:7'",
    "':x'",
    "'erase:1'",
    "'key_text:1'",
    "'%s %I $1 \\n \"q\" ''''  '",
    "'É💡'",
    "repeat('x', 5000)",
  ]],
  ["varchar(5)", ["'abcde'", "'abc'"]],
  ["char(10)", ["'a'", "'contact:1'", "'0123456789'"]],
  ["numeric", ["1.0", "2.50", "1e300", "-0.000001"]],
  ["numeric(6,2)", ["1", "1.5"]],
  ["extensions.citext", ["'Abc'", "'contact:A'"]],
  ["date", ["'2026-02-03'", "'12345-01-01'"]],
  ["timestamptz", ["'2026-02-03 04:05:06.789012+09'", "'2026-07-03 04:05:06+00'"]],
  ["timestamp", ["'2026-02-03 04:05:06.789012'"]],
  ["time", ["'04:05'"]],
  ["bytea", ["'\\x00ff'", "'contact:1'", "''"]],
  ["inet", ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"]],
  ["macaddr", ["'08:00:2b:01:02:03'"]],
  ["public.mood", ["'so so'", "'contact:7'"]],
  ["public.code", ["'contact:8'", "'X'"]],
  ["public.moment", ["'2026-02-03 04:05:06+09'"]],
  ["boolean", ["true", "false"]],
  ["name", ["'contact:n'"]],
  ["bit(3)", ["B'101'"]],
  ["jsonb", [`'{"a": 1}'`]],
];

const firstNames = (sync: Sync) =>
  Object.fromEntries(
    [...sync.mautic.contacts.values()].map((
      { values },
    ) => [values.get("email"), values.get("firstname")]),
  );

/** Each type as a source of its own, the first of all where `isFirst`. */
async function follow(sync: Sync, sources: typeof keys, isFirst: boolean) {
  await sync.sql.unsafe(`
    create extension if not exists citext with schema extensions;
    create type public.mood as enum ('so so', 'contact:7');
    create domain public.code as text check (value <> '?');
    create domain public.moment as timestamptz`);
  const expected: Record<string, string> = {};
  const write = session(sync);
  await write.unsafe(`
    set timezone = 'Asia/Kolkata'; set datestyle = 'German'; set intervalstyle = 'sql_standard';
    set bytea_output = 'escape'; set extra_float_digits = 0`);
  const tables = sources.map(([type, values], n) => ({
    type,
    values,
    name: `key_${isFirst ? n : type.replaceAll(/\W/g, "_")}`,
  }));
  for (const { type, name } of tables) {
    await sync.sql.unsafe(
      `create table public.${name} (id ${type} primary key, email text, first_name text)`,
    );
    await sync.sql`select mautic.attach(${`public.${name}`}, source => ${isFirst ? null : name})`;
  }
  for (const { values, name } of tables) {
    for (const [n, value] of values.entries()) {
      const email = `${name}-${n}@example.test`;
      await write.unsafe(`insert into public.${name} values (${value}, '${email}', 'First')`);
      expected[email] = "Second";
    }
  }
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  for (const { name } of tables) {
    await write.unsafe(`update public.${name} set first_name = 'Second'`);
  }
  await write.end();
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.deepEqual(firstNames(sync), expected);
}

Deno.test("a lead is followed by a key of any type, whatever the writer's settings", async () => {
  await using sync = await startSync();
  await follow(sync, keys, false);
});

for (
  const one of keys.filter(([type]) => /text|char|citext|code|mood|bytea|macaddr|name/.test(type))
) {
  Deno.test(`a key of type ${one[0]} without a prefix is not mistaken for another id`, async () => {
    await using sync = await startSync();
    await sync.sql`select mautic.detach('lead')`;
    await follow(sync, [one], true);
  });
}

Deno.test("a key that looks like another source's is told apart when that source comes later", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.detach('lead')`;
  await sync.sql`create table public.a (id text primary key, email text, first_name text)`;
  await sync.sql`create table public.b (id int primary key, email text, first_name text)`;
  await sync.sql`select mautic.attach('public.a')`;
  await sync.sql`select mautic.attach('public.b', source => 'newsletter')`;
  await sync
    .sql`insert into public.a values ('newsletter:7', 'a@example.test', 'A'), (':newsletter:7', 'c@example.test', 'C')`;
  await sync.sql`insert into public.b values (7, 'b@example.test', 'B')`;
  await sync.drain();
  await sync.sql`update public.a set first_name = first_name || '2'`;
  await sync.drain();
  assert.deepEqual(firstNames(sync), {
    "a@example.test": "A2",
    "b@example.test": "B",
    "c@example.test": "C2",
  });
});

for (
  const [from, to, later] of [
    ["int", "bigint", "3000000000"],
    ["int", "text", "'abc'"],
    ["smallint", "numeric", "1.5"],
    ["varchar(3)", "text", "'abcdef'"],
  ]
) {
  Deno.test(`a key that became ${to} from ${from} is read in the type that it has now`, async () => {
    await using sync = await startSync();
    await sync.sql.unsafe(
      `create table public.customer (id ${from} primary key, email text, first_name text)`,
    );
    await sync.sql`select mautic.attach('public.customer', source => 'customer')`;
    await sync.sql.unsafe(`alter table public.customer alter id type ${to}`);
    await sync.sql.unsafe(`insert into public.customer values (${later}, 'a@example.test', 'A')`);
    await sync.drain();
    assert.deepEqual(firstNames(sync), { "a@example.test": "A" });
    await sync.sql`select mautic.attach('public.customer', source => 'customer')`;
    await sync.sql`update public.customer set first_name = 'B'`;
    await sync.drain();
    assert.deepEqual(firstNames(sync), { "a@example.test": "B" });
  });
}

Deno.test("an id that a key's type would cut or round is nobody's", async () => {
  await using sync = await startSync();
  for (
    const [type, value, asked] of [["varchar(3)", "'abc'", "abcdef"], [
      "numeric(6,2)",
      "1.23",
      "1.2345",
    ], ["char(3)", "'abc'", "abcd"]]
  ) {
    const name = `cut_${type!.replaceAll(/\W/g, "_")}`;
    await sync.sql.unsafe(`create table public.${name} (id ${type} primary key, email text)`);
    await sync.sql`select mautic.attach(${`public.${name}`}, source => ${name})`;
    await sync.sql.unsafe(`insert into public.${name} values (${value}, 'a@example.test')`);
    const found = await sync.sql`select lead_id from mautic.read_leads(${[`${name}:${asked}`]})`;
    assert.deepEqual([...found], []);
  }
});
