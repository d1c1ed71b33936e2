import assert from "node:assert/strict";
import { outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

const types: [name: string, type: string, value: string, sent: string | number | null][] = [
  ["plain", "text", "'a %s \\ ''q'''", "a %s \\ 'q'"],
  ["short", "varchar(3)", "'abc'", "abc"],
  ["padded", "char(5)", "'ab'", "ab"],
  ["lettered", "extensions.citext", "'Ab'", "Ab"],
  ["mood", "public.mood", "'so so'", "so so"],
  ["code", "public.code", "'X'", "X"],
  ["share", "public.share", "0.5", 0.5],
  ["flag", "boolean", "true", "true"],
  ["small", "smallint", "-5", -5],
  ["big", "bigint", "9007199254740991", 9007199254740991],
  ["exact", "numeric", "1.50", 1.5],
  ["real", "real", "0.5", 0.5],
  ["price", "money", "12.34", 12.34],
  ["day", "date", "'2026-02-03'", "2026-02-03"],
  ["moment", "timestamptz", "'2026-02-03 04:05:06+02'", "2026-02-03T02:05:06Z"],
  ["clock", "time", "'04:05'", "04:05:00"],
  ["span", "interval", "'1 day 2 hours'", "1 day 02:00:00"],
  ["address6", "inet", "'10.0.0.1'", "10.0.0.1/32"],
  ["uid", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
];
const unreadable: [name: string, type: string, value: string][] = [
  ["nan", "float8", "'NaN'"],
  ["infinite", "float8", "'-Infinity'"],
  ["nan_numeric", "numeric", "'NaN'"],
  ["infinite_numeric", "numeric", "'Infinity'"],
  ["digits", "numeric", "repeat('9', 400)::numeric"],
];
const refused: [name: string, type: string][] = [
  ["doc", "json"],
  ["docb", "jsonb"],
  ["list", "text[]"],
  ["numbers", "int[]"],
  ["place", "point"],
  ["raw", "bytea"],
  ["markup", "xml"],
  ["pair", "public.pair"],
  ["spread", "int4range"],
  ["doc_domain", "public.doc"],
  ["moods", "public.mood[]"],
];

Deno.test("a column of any type that a contact field can hold arrives, and others are refused by name", async () => {
  await using sync = await startSync();
  await sync.sql.unsafe(`
    create extension if not exists citext with schema extensions;
    create type public.mood as enum ('so so'); create type public.pair as (a int, b int);
    create domain public.code as text check (value <> ''); create domain public.share as numeric; create domain public.doc as json;
    create table public.customer (id int primary key, email text, first_name text,
      ${
    [...types, ...unreadable, ...refused].map(([name, type]) => `"${name}" ${type}`).join(", ")
  })`);
  await sync.sql`select mautic.attach('public.customer', source => 'customer')`;
  for (const [name] of [...types, ...unreadable]) {
    await sync.sql`select mautic.map_field(${`my_${name}`}, ${name}, source => 'customer')`;
    sync.mautic.addField({ alias: `my_${name}` });
  }
  for (const [name] of refused) {
    await assert.rejects(
      sync.sql`select mautic.map_field('other', ${name}, source => 'customer')`.execute(),
      /no contact field holds/,
      name,
    );
  }
  const written = [...types, ...unreadable];
  await sync.sql.unsafe(`
    insert into public.customer (id, email, first_name, ${
    written.map(([name]) => `"${name}"`).join(", ")
  })
    values (1, 'a@example.test', 'A', ${written.map(([, , value]) => value).join(", ")})`);
  const [lead] = await sync.sql`select payload from mautic.read_leads('{customer:1}')`;
  assert.deepEqual(lead?.payload.unreadable, unreadable.map(([name]) => `my_${name}`).sort());
  assert.deepEqual(lead?.payload.missing, []);
  for (const [name, , , sent] of types) {
    assert.equal(lead?.payload.fields[`my_${name}`], sent, name);
  }
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  const contact = sync.mautic.contactByEmail("a@example.test");
  assert.equal(contact?.values.get("my_mood"), "so so");
  assert.equal(contact?.values.get("firstname"), "A");
});

Deno.test("a company that is json is not sent, and an update beside it is", async () => {
  await using sync = await startSync();
  for (const type of ["json", "xml", "point", "jsonb", "text[]"]) {
    const name = `with_${type.replaceAll(/\W/g, "")}`;
    const value = {
      json: `'{"name": "Acme"}'`,
      jsonb: `'{"name": "Acme"}'`,
      xml: "'<a/>'",
      point: "'(1,2)'",
      "text[]": "'{Acme}'",
    }[type];
    await sync.sql.unsafe(
      `create table public.${name} (id int primary key, email text, company ${type}, first_name text)`,
    );
    await sync.sql`select mautic.attach(${`public.${name}`}, source => ${name})`;
    await sync.sql.unsafe(
      `insert into public.${name} values (1, '${name}@example.test', ${value}, 'A'); update public.${name} set first_name = 'B'`,
    );
    await sync.drain();
    const contact = sync.mautic.contactByEmail(`${name}@example.test`);
    assert.deepEqual([contact?.values.get("company") ?? null, contact?.values.get("firstname")], [
      null,
      "B",
    ], type);
  }
});

Deno.test("a field that was mapped before its table was there is sent as what it proves to be", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.attach('public.later', source => 'later')`;
  await sync.sql`select mautic.map_field('my_size', 'size', source => 'later')`;
  assert.equal((await sync.sql`select mautic.attach_declared() as n`)[0]?.n, 0);
  await sync.sql`create table public.later (id int primary key, email text, size int)`;
  assert.equal((await sync.sql`select mautic.attach_declared() as n`)[0]?.n, 1);
  assert.equal((await sync.sql`select mautic.attach_declared() as n`)[0]?.n, 0);
  await sync.sql`insert into public.later values (1, 'a@example.test', 5)`;
  const [lead] = await sync.sql`select payload from mautic.read_leads('{later:1}')`;
  assert.equal(lead?.payload.fields.my_size, 5);
});

const roles: [role: string, columns: string][] = [
  ["address", "email text, mail text"],
  ["consent", "newsletter boolean, opt_in boolean"],
  ["stage", "status text, stage text"],
  ["score", `score int, "leadScore" int`],
  ["deleted", "deleted_at timestamptz, archived_at timestamptz"],
];
for (const [role, columns] of roles) {
  Deno.test(`two candidates for ${role} are refused with the choice, and either or none can be named`, async () => {
    await using sync = await startSync();
    await sync.sql.unsafe(`create table public.customer (id int primary key, ${columns})`);
    const names = columns.split(", ").map((column) => column.split(" ")[0]!.replaceAll('"', ""));
    await assert.rejects(
      sync.sql`select mautic.attach('public.customer', source => 'customer')`.execute(),
      (error: Error) =>
        names.every((name) => error.message.includes(name)) &&
        error.message.includes(`${role} => '`),
    );
    for (const name of [...names, ""]) {
      await sync.sql.unsafe(
        `select mautic.attach('public.customer', source => 'customer', ${role} => $1)`,
        [name],
      );
    }
  });
}
