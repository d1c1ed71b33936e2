import assert from "node:assert/strict";
import { outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
const long = "n".repeat(63);

/** Legal names, for schema, table, key and columns at once. */
const names = [
  "select",
  "user",
  "table",
  "Order",
  "camelCase",
  "with space",
  "with.dot",
  'with"quote',
  "with'apostrophe",
  "with%s%I%%percent",
  "$1",
  "$$",
  "ünïcødé",
  "名前",
  "💡",
  "back\\slash",
  "semi;colon",
  "--comment",
  "/* c */",
  "l",
  "n",
  "o",
  "w",
  "id",
  "keys",
  "mautic",
  "new_lead",
  "NEW",
  "*",
  "1",
  " ",
  "line\nbreak",
  "{}",
  "a,b",
  "(a)",
  long,
];

for (const name of names) {
  Deno.test(`everything may be called ${JSON.stringify(name)}`, async () => {
    await using sync = await startSync();
    const field = name === "id" ? "ID" : name;
    const [schema, table] = [name === "mautic" ? "Mautic" : name, quote(name)];
    const place = `${quote(schema)}.${table}`;
    // A column that differs from the key's name.
    const column = (end: string) =>
      quote(field.length + end.length > 63 ? field.slice(end.length) + end : field + end);
    await sync.sql.unsafe(`
      create schema ${quote(schema)};
      create table ${place} (${quote(field)} text primary key, ${column("@")} text, ${
      column("!")
    } text, ${column("?")} boolean)`);
    const unquoted = (quoted: string) => quoted.slice(1, -1).replaceAll('""', '"');
    await sync.sql`
      select mautic.attach(${place}, source => 'odd', key => ${field}, address => ${
      unquoted(column("@"))
    }, consent => ${unquoted(column("?"))})`;
    await sync.sql`select mautic.map_field('firstname', ${unquoted(column("!"))}, source => 'odd')`;
    await sync.sql`select mautic.map_field('lastname', ${`'L' || l.${
      column("!")
    }`}, source => 'odd')`;
    await sync.sql.unsafe(`insert into ${place} values ('k', 'a@example.test', 'F', true)`);
    await sync.drain();
    await sync.sql.unsafe(`update ${place} set ${column("!")} = 'G'`);
    const [change] = await sync.sql`
      select lead_id, cause, bit_count(changed[1]::bit(64))::int as changed from mautic.logged_lead`;
    assert.deepEqual({ ...change }, {
      lead_id: "odd:k",
      cause: "update",
      changed: 1,
    });
    await sync.drain();
    assert.deepEqual(await outbox(sync.sql), []);
    const contact = sync.mautic.contactByEmail("a@example.test");
    assert.deepEqual([contact?.values.get("firstname"), contact?.values.get("lastname")], [
      "G",
      "LG",
    ]);
    await sync.sql`select mautic.attach(${place}, source => 'odd', key => ${field}, address => ${
      unquoted(column("@"))
    }, consent => '')`;
    await sync.sql`select mautic.detach('odd')`;
  });
}

Deno.test("a source is named by a word, anything else is refused", async () => {
  await using sync = await startSync();
  await sync.sql`create table public.customer (id int primary key, email text)`;
  for (
    const source of [
      "",
      "A",
      "a b",
      "1a",
      "a:b",
      "a'b",
      'a"b',
      "a%s",
      "contact",
      "erase",
      "ä",
      "a".repeat(41),
      "a\n",
    ]
  ) {
    await assert.rejects(
      sync.sql`select mautic.attach('public.customer', source => ${source})`.execute(),
      /source =>/,
      source,
    );
  }
  for (
    const source of [
      "a",
      "select",
      "user",
      "leads",
      "a".repeat(40),
      "x_insert",
      "lead_update",
      "null",
    ]
  ) {
    await sync.sql`select mautic.attach('public.customer', source => ${source})`;
    await sync.sql`insert into public.customer values (1, 'a@example.test')`;
    assert.equal((await sync.sql`select from mautic.read_leads(${[`${source}:1`]})`).count, 1);
    await sync.sql`delete from public.customer where true`;
    await sync.sql`select mautic.detach(${source})`;
  }
});

Deno.test("a table's name that is none is refused by what is wrong with it", async () => {
  await using sync = await startSync();
  for (const place of ["", " ", "a.b.c", '"open', "a b", "a;b", "public.", null]) {
    await assert.rejects(
      sync.sql`select mautic.attach(${place}, source => 'x')`.execute(),
      (error: Error & { code?: string }) => error.code === "22023" || error.code === "42602",
      String(place),
    );
  }
});
