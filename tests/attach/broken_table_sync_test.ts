import assert from "node:assert/strict";
import { outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

/** What happens to the table of a lead whose company is 'C', before that becomes 'D'. */
const broken: {
  what: string;
  sql: string;
  /** Where the table is then. */
  again?: string;
  /** What the column is called then. */
  write?: string;
  /** The company that Mautic shows before it is attached again, and after. */
  meanwhile?: string;
  company?: string;
}[] = [
  {
    what: "a column that is sent is renamed",
    sql: "alter table crm.customer rename company to company_name",
    write: "company_name",
  },
  {
    what: "a column that is sent is dropped",
    sql: "alter table crm.customer drop column phone",
    meanwhile: "D",
  },
  { what: "the address is renamed", sql: "alter table crm.customer rename email to mail" },
  {
    what: "a column becomes json",
    sql: "alter table crm.customer alter company type json using to_json(company)",
    company: "C",
  },
  {
    what: "a column becomes jsonb",
    sql: "alter table crm.customer alter company type jsonb using to_jsonb(company)",
    company: "C",
  },
  {
    what: "a column becomes an array",
    sql: "alter table crm.customer alter company type text[] using array[company]",
    company: "C",
  },
  {
    what: "a column becomes a row type",
    sql:
      "create type crm.pair as (a text, b text); alter table crm.customer alter company type crm.pair using row(company, '')::crm.pair",
    company: "C",
  },
  {
    what: "a column becomes xml",
    sql: "alter table crm.customer alter company type xml using ('<c>' || company || '</c>')::xml",
    company: "C",
  },
  {
    what: "a column becomes bytea",
    sql: "alter table crm.customer alter company type bytea using convert_to(company, 'UTF8')",
    company: "C",
  },
  {
    what: "a column becomes a domain",
    sql:
      "create domain crm.short as varchar(30); alter table crm.customer alter company type crm.short",
    meanwhile: "D",
  },
  {
    what: "a column becomes an enum",
    sql:
      "create type crm.firm as enum ('C', 'D'); alter table crm.customer alter company drop default, alter company type crm.firm using company::crm.firm",
  },
  {
    what: "the key becomes bigint",
    sql: "alter table crm.customer alter id type bigint",
    meanwhile: "D",
  },
  {
    what: "the key becomes text",
    sql: "alter table crm.customer alter id type text",
    meanwhile: "D",
  },
  {
    what: "a consent becomes text",
    sql:
      "alter table crm.customer alter opt_in type text using case when opt_in then 'Ja' else 'Nein' end",
    meanwhile: "D",
  },
  {
    what: "a score becomes text",
    sql: "alter table crm.customer alter score type text",
    meanwhile: "D",
  },
  {
    what: "the table is renamed",
    sql: "alter table crm.customer rename to person",
    again: "crm.person",
  },
  {
    what: "the table moves to another schema",
    sql: "create schema other; alter table crm.customer set schema other",
    again: "other.customer",
  },
  {
    what: "the schema is renamed",
    sql: `alter schema crm rename to "Sales 2"`,
    again: `"Sales 2".customer`,
  },
  {
    what: "row level security is forced",
    sql: "alter table crm.customer force row level security",
    meanwhile: "D",
  },
];

async function start(): Promise<Sync> {
  const sync = await startSync();
  await sync.sql.unsafe(`
    create schema crm;
    create table crm.customer (
      id int primary key, email text, company text, first_name text, phone text, opt_in boolean, score int)`);
  await sync.sql`select mautic.attach('crm.customer', source => 'customer')`;
  await sync.sql`
    insert into crm.customer values
      (1, 'a@example.test', 'C', 'A', '+1', true, 1), (2, 'b@example.test', 'C', 'B', '+2', null, 2)`;
  await sync.drain();
  return sync;
}

const values = (sync: Sync, address: string) =>
  Object.fromEntries(sync.mautic.contactByEmail(address)?.values ?? []);

/** 'D' as a column of such a type has it. */
const spelt: Record<string, string> = {
  "json": `'"D"'`,
  "jsonb": `'"D"'`,
  "text[]": "'{D}'",
  "xml": "'<c>D</c>'",
  "crm.pair": "'(D,)'",
};

for (
  const { what, sql, again = "crm.customer", company = "D", write = "company", meanwhile = "C" }
    of broken
) {
  Deno.test(`${what}: nothing wrong is sent meanwhile, and once attached again all that was written is in Mautic`, async () => {
    await using sync = await start();
    await sync.sql.unsafe(sql);
    const columns = Object.fromEntries((await sync.sql<{ name: string; type: string }[]>`
      select attname as name, format_type(atttypid, null) as type from pg_attribute
      where attrelid = ${again}::regclass and attnum > 0`).map(({ name, type }) => [name, type]));
    await sync.sql.unsafe(`
      update ${again} set ${write} = ${
      spelt[columns[write] ?? ""] ?? "'D'"
    }, first_name = 'A2' where id::text = '1';
      insert into ${again} (id, first_name, ${
      columns["mail"] ? "mail" : "email"
    }) values (3, 'N', 'n@example.test')`);
    await sync.drain();
    assert.equal(values(sync, "a@example.test")["company"], meanwhile);
    assert.equal(values(sync, "b@example.test")["company"], "C");

    await sync.sql`select mautic.attach(${again}, source => 'customer')`;
    await sync.drain();
    assert.deepEqual(await outbox(sync.sql), []);
    const after = values(sync, "a@example.test");
    assert.deepEqual([after["company"], after["firstname"]], [company, "A2"]);
    assert.equal(values(sync, "n@example.test")["firstname"], "N");
    assert.equal(sync.mautic.contacts.size, 3);
  });
}
