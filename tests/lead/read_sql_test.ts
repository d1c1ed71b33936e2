import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";

const leads = 5000;

async function start() {
  const db = await testDatabase();
  await db.sql.unsafe(`
    create table public.person (
      id int primary key, email text, first_name text, phone text, opt_in text, score numeric, deleted_at timestamptz);
    insert into public.person
    select i, 'p' || i || '@example.test', 'A', '+1', 'yes', 1 from generate_series(1, ${leads}) i`);
  await db.sql`select mautic.attach('public.person', source => 'person')`;
  return db;
}

interface Read {
  lead_id: string;
  address: string | null;
  payload: {
    fields: Record<string, unknown>;
    consent: boolean | null;
    score: number | null;
    unreadable: string[];
    missing: string[];
  };
}

/** All of them in one call, as a fold reads them. */
async function read({ sql }: Awaited<ReturnType<typeof start>>) {
  const from = performance.now();
  const rows = await sql<Read[]>`
    select r.lead_id, r.address, r.payload
    from mautic.read_leads(array(select 'person:' || i from generate_series(1, ${leads}::int) i)) r
    order by split_part(r.lead_id, ':', 2)::int`;
  const ms = performance.now() - from;
  assert.ok(ms < 5000, `${leads} leads were read in ${ms} ms`);
  return rows;
}

Deno.test("a row that cannot be read costs the others nothing", async () => {
  await using db = await start();
  await db.sql`update public.person set score = 'NaN' where id in (1, 4321)`;
  await db.sql`update public.person set opt_in = 'perhaps' where id = 4321`;
  const rows = await read(db);
  assert.equal(rows.length, leads);
  const doubtful = rows.filter(({ payload }) => payload.unreadable.length > 0);
  assert.deepEqual(
    doubtful.map(({ lead_id, address, payload }) => [
      lead_id,
      address,
      payload.unreadable,
      payload.missing,
      payload.fields["firstname"],
    ]),
    [
      ["person:1", "p1@example.test", ["score", "hki_score"], [], "A"],
      ["person:4321", "p4321@example.test", ["consent", "score", "hki_score"], [], "A"],
    ],
  );
});

const broken: [what: string, sql: string, missing: string[]][] = [
  ["a column is renamed", "alter table public.person rename phone to mobile", ["phone"]],
  ["the address is renamed", "alter table public.person rename email to mail", ["email"]],
  [
    "a column becomes json",
    "alter table public.person alter first_name type json using to_json(first_name)",
    ["firstname"],
  ],
  [
    "the column of deletion is renamed",
    "alter table public.person rename deleted_at to gone_at",
    ["deleted"],
  ],
];

for (const [what, sql, missing] of broken) {
  Deno.test(`${what}: all leads are read at once without it, and it is named`, async () => {
    await using db = await start();
    await db.sql.unsafe(sql);
    await db.sql`update public.person set score = 'NaN' where id = 7`;
    const rows = await read(db);
    assert.equal(rows.length, leads);
    for (const { lead_id, payload } of rows) {
      assert.deepEqual(payload.missing, missing);
      assert.deepEqual(payload.unreadable, lead_id === "person:7" ? ["score", "hki_score"] : []);
    }
    const { address, payload } = rows[0]!;
    assert.equal(address, missing[0] === "email" ? null : "p1@example.test");
    assert.equal(payload.score, 1);
    assert.equal(payload.fields["firstname"], missing[0] === "firstname" ? undefined : "A");
  });
}

Deno.test("where the key is renamed, or the table, nothing is known of any lead, and none is gone", async () => {
  for (
    const sql of [
      "alter table public.person rename id to number",
      "alter table public.person rename to people",
    ]
  ) {
    await using db = await start();
    await db.sql.unsafe(sql);
    const rows = await read(db);
    assert.equal(rows.length, leads);
    for (const { address, payload } of rows) {
      assert.equal(address, null);
      assert.deepEqual(payload.fields, {});
      assert.ok(payload.missing.includes("email") && payload.missing.includes("hki_lead_id"));
    }
  }
});

Deno.test("a key that is of another type now is compared in it", async () => {
  await using db = await start();
  await db.sql`alter table public.person alter id type text`;
  const rows = await read(db);
  assert.equal(rows.length, leads);
  assert.deepEqual(rows[9]!.payload.missing, []);
  assert.equal(rows[9]!.address, "p10@example.test");
});
