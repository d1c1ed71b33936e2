import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";
import { insertLead } from "../support/leads.ts";

type Database = Awaited<ReturnType<typeof testDatabase>>;

/** As cron does once the table was written to and an hour is over. */
async function compare({ sql }: Database): Promise<void> {
  await sql`select mautic.fold(2147483647)`;
  await sql`select mautic.read_unseen('1 minute')`;
  await sql`update mautic.attachment set read_to_end_at = now() - interval '2 hours',
    compared_at = compared_at - interval '2 hours'`;
  // The counters of a session that is still open reach the others when it says so.
  await sql`select pg_stat_force_next_flush()`;
  await sql`select mautic.compare('1 minute')`;
}

/** The same, where nothing but the definition of the digests is another one. */
async function compareAgain({ sql }: Database): Promise<void> {
  await sql`select mautic.attach_declared()`;
  await sql`select mautic.compare('1 minute')`;
}

async function queued({ sql }: Database) {
  const rows = await sql<{ email: string; lane: string }[]>`
    select l.email, c.lane from mautic.logged_lead c
    join public.leads l on l.id::text = c.lead_id order by l.email`;
  return rows.map(({ email, lane }) => [email, lane]);
}

const found = async ({ sql }: Database) => {
  const [row] = await sql<{ unseen: number; absent: number; problem: string | null }[]>`
    select unseen::int, absent::int, coalesce(problem, read_problem) as problem from mautic.attachment`;
  return { ...row };
};

/** Writes that no trigger sees, as a subscription or a loading tool makes them. */
async function unseen(
  { admin }: Database,
  write: (sql: postgres.TransactionSql) => Promise<unknown>,
) {
  await admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await write(sql);
  });
  await admin`select pg_stat_force_next_flush()`;
}

Deno.test("writes past the triggers are found and queued, those that were seen are not, and rows that are gone are only counted", async () => {
  await using db = await testDatabase();
  for (const name of ["seen", "changed", "gone", "same"]) {
    await insertLead(db.sql, `${name}@example.test`, { first_name: "A" });
  }
  await compare(db);
  assert.deepEqual(await queued(db), []);

  await unseen(db, async (sql) => {
    await sql`insert into public.leads (email) values ('added@example.test')`;
    await sql`update public.leads set first_name = 'B' where email = 'changed@example.test'`;
    await sql`delete from public.leads where email = 'gone@example.test'`;
    // No column that is read.
    await sql`update public.leads set updated_at = now() where email = 'same@example.test'`;
  });
  await db.sql`update public.leads set first_name = 'C' where email = 'seen@example.test'`;
  await compare(db);
  assert.deepEqual(await queued(db), [
    ["added@example.test", "backfill"],
    ["changed@example.test", "backfill"],
  ]);
  assert.deepEqual(await found(db), { unseen: 2, absent: 1, problem: null });
  const problems = await db.sql<{ problem: string }[]>`select problem from mautic.check_shape()`;
  assert.match(problems.map(({ problem }) => problem).join(), /2 rows[^]*1 leads/);
});

Deno.test("a row that is gone is dropped once a person confirms it", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "gone@example.test");
  await compare(db);
  await unseen(db, (sql) => sql`delete from public.leads`);
  await compare(db);
  await db.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const [told] = await db.sql`select mautic.drop_absent('lead') as answer`;
  assert.deepEqual(told?.answer, { absent: 1, dropped: 0, on_lead_delete: "delete_contact" });
  assert.equal((await db.sql`select from mautic.lead_change`).count, 0);
  await db.sql`select mautic.drop_absent('lead', confirm => true)`;
  const [logged] = await db.sql`select lead_id, cause, removal from mautic.logged_lead`;
  assert.deepEqual({ ...logged }, { lead_id: id, cause: "delete", removal: "delete_contact" });
});

Deno.test("a table that nobody wrote to is not compared again", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "a@example.test");
  await compare(db);
  await compare(db);
  const at = async () => (await db.sql`select compared_at from mautic.attachment`)[0]?.compared_at;
  await db.sql`update mautic.attachment set compared_at = now() - interval '3 hours'`;
  const before = await at();
  await db.sql`select mautic.compare('1 minute')`;
  assert.deepEqual(await at(), before);
});

Deno.test("another mapping marks nothing: digests are written anew, and nothing is queued", async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.leads add column title text default 'Dr'`;
  for (let i = 0; i < 5; i++) await insertLead(db.sql, `p${i}@example.test`);
  await compare(db);
  await db.sql`select mautic.map_field('title', 'l.title')`;
  await compare(db);
  assert.deepEqual(await queued(db), []);
  assert.deepEqual(await found(db), { unseen: 0, absent: 0, problem: null });
  await unseen(db, (sql) => sql`update public.leads set title = 'Prof' where email like 'p1@%'`);
  await compare(db);
  assert.deepEqual(await queued(db), [["p1@example.test", "backfill"]]);
});

Deno.test("another mapping hides nothing that came past the triggers: rows that are not known are queued, and all that differ where a write was suspect", async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.leads add column title text default 'Dr'`;
  for (let i = 0; i < 4; i++) await insertLead(db.sql, `p${i}@example.test`);
  await compare(db);
  await unseen(db, (sql) => sql`insert into public.leads (email) values ('added@example.test')`);
  await db.sql`select mautic.map_field('title', 'l.title')`;
  await compareAgain(db);
  assert.deepEqual(await queued(db), [["added@example.test", "backfill"]]);
  await compare(db);

  await db.sql`select mautic.map_field('title', 'lower(l.title)')`;
  await db.sql`select mautic.map_field('created', 'l.created_at')`;
  await unseen(db, (sql) => sql`update public.leads set title = 'Prof' where email like 'p1@%'`);
  await db.sql`insert into mautic.table_change (source, cause) values ('lead', 'suspect')`;
  await compareAgain(db);
  assert.deepEqual((await queued(db)).map(([email]) => email), [
    "added@example.test",
    "p0@example.test",
    "p1@example.test",
    "p2@example.test",
    "p3@example.test",
  ]);
});

Deno.test("what was written while the key and a column had another name is queued once its tables are attached again", async () => {
  await using db = await testDatabase();
  for (const name of ["first", "second"]) {
    await db.sql.unsafe(`
      create table public.${name} (id int primary key, email text, phone text);
      insert into public.${name} select i, '${name}' || i || '@example.test', i from generate_series(1, 3) i;
      select mautic.attach('public.${name}', source => '${name}');`);
  }
  await compare(db);
  const ids = async () =>
    (await db.sql`select lead_id, lane from mautic.logged_lead order by 1`).map((row) =>
      row.lead_id
    );
  assert.deepEqual(await ids(), []);
  for (const name of ["first", "second"]) {
    await db.sql.unsafe(`
      alter table public.${name} rename id to number;
      alter table public.${name} rename phone to mobile;
      update public.${name} set email = 'new@example.test' where number = 2;
      insert into public.${name} values (4, 'added@example.test', '4');`);
  }
  await compareAgain(db);
  assert.deepEqual(await ids(), []);
  await db.sql`select mautic.attach('public.first', source => 'first', key => 'number')`;
  await compareAgain(db);
  assert.deepEqual((await ids()).filter((id) => /2|4/.test(id)), ["first:2", "first:4"]);
  const suspect = await db.sql`select source from mautic.table_change`;
  assert.deepEqual(new Set(suspect.map(({ source }) => source)), new Set(["second"]));
  await db.sql`select mautic.attach('public.second', source => 'second', key => 'number')`;
  await compareAgain(db);
  for (const id of ["second:2", "second:4"]) assert.ok((await ids()).includes(id));
  assert.equal((await db.sql`select from mautic.table_change`).count, 0);
});

Deno.test("digests are compared with those of their own definition: a column that is renamed is waited for, one of another type marks nothing", async () => {
  await using db = await testDatabase();
  for (let i = 0; i < 3; i++) await insertLead(db.sql, `p${i}@example.test`, { phone: "1" });
  await compare(db);
  const pass = async () =>
    (await db.sql`select compared_at from mautic.attachment`)[0]?.compared_at;
  await db.sql`alter table public.leads alter ml_score type numeric(10, 4)`;
  await db.sql`alter table public.leads alter phone type varchar(40)`;
  await compareAgain(db);
  assert.deepEqual(await queued(db), []);
  await unseen(db, (sql) => sql`update public.leads set phone = '2' where email like 'p1@%'`);
  await compare(db);
  assert.deepEqual(await queued(db), [["p1@example.test", "backfill"]]);
  await compare(db);

  await db.sql`alter table public.leads rename phone to mobile`;
  await unseen(db, (sql) => sql`update public.leads set first_name = 'B' where email like 'p2@%'`);
  const before = await pass();
  await db.sql`insert into mautic.table_change (source, cause) values ('lead', 'suspect')`;
  await compareAgain(db);
  assert.deepEqual(await pass(), before);
  assert.deepEqual(await queued(db), []);
  await db.sql`alter table public.leads rename mobile to phone`;
  await compareAgain(db);
  assert.deepEqual(await queued(db), [["p2@example.test", "backfill"]]);
});

Deno.test("digests of another version of Postgres are written anew", async () => {
  await using db = await testDatabase();
  for (let i = 0; i < 3; i++) await insertLead(db.sql, `p${i}@example.test`);
  await compare(db);
  await db.sql`update mautic.attachment set digest_of = 'other ' || digest_of`;
  await db.sql`update mautic.lead_state set digest = digest + 1`;
  await compareAgain(db);
  assert.deepEqual(await queued(db), []);
  await unseen(db, (sql) => sql`update public.leads set first_name = 'B' where email like 'p1@%'`);
  await compare(db);
  assert.deepEqual(await queued(db), [["p1@example.test", "backfill"]]);
});

Deno.test("what kept rows from being read or compared is told until it is over", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "a@example.test");
  const problems = async () =>
    (await db.sql<{ problem: string }[]>`select problem from mautic.check_shape()`)
      .map(({ problem }) => problem).filter((problem) => /cannot be read/.test(problem));
  for (const step of ["read_unseen", "compare"]) {
    if (step === "compare") await compare(db);
    await db.sql`insert into mautic.table_change (source, cause) values ('lead', 'suspect')`;
    await db.sql`alter table public.leads rename id to id_before`;
    await db.sql`select ${db.sql.unsafe(`mautic.${step}()`)}`;
    assert.equal((await problems()).length, 1, step);
    await db.sql`alter table public.leads rename id_before to id`;
    await db.sql`select ${db.sql.unsafe(`mautic.${step}()`)}`;
    assert.deepEqual(await problems(), [], step);
  }
});

Deno.test("rows that were there before their table was attached stay known when a comparison finds them changed", async () => {
  await using db = await testDatabase();
  await unseen(db, (sql) => sql`insert into public.leads (email) values ('old@example.test')`);
  await compare(db);
  await unseen(db, (sql) => sql`update public.leads set first_name = 'B'`);
  await compare(db);
  assert.deepEqual(await queued(db), [["old@example.test", "backfill"]]);
  await db.sql`select mautic.fold(100)`;
  assert.equal((await db.sql`select from mautic.outbox`).count, 0);
  await db.sql`update public.leads set first_name = 'C'`;
  await db.sql`select mautic.fold(100)`;
  assert.equal((await db.sql`select from mautic.outbox`).count, 1);
});

Deno.test("a table that is swapped in is attached by cron's next look, and what is other in it is found", async () => {
  await using db = await testDatabase();
  for (const name of ["kept", "changed", "left"]) {
    await insertLead(db.sql, `${name}@example.test`, { first_name: "A" });
  }
  await compare(db);
  await db.sql.unsafe(`
    create table public.leads_new (like public.leads including all);
    insert into public.leads_new select * from public.leads where email not like 'left%';
    update public.leads_new set first_name = 'B' where email like 'changed%';
    insert into public.leads_new (email) values ('added@example.test');
    alter table public.leads rename to leads_old;
    alter table public.leads_new rename to leads;`);
  const [shape] = await db.sql`select problem from mautic.check_shape()`;
  assert.match(shape?.problem, /another table has this name/);
  await db.sql`select mautic.attach_declared()`;
  await db.sql`select mautic.compare('1 minute')`;
  assert.deepEqual(await queued(db), [
    ["added@example.test", "backfill"],
    ["changed@example.test", "backfill"],
  ]);
  assert.deepEqual(await found(db), { unseen: 2, absent: 1, problem: null });
  await db.sql`truncate mautic.lead_change`;
  await insertLead(db.sql, "next@example.test");
  assert.deepEqual(await queued(db), [["next@example.test", "new"]]);
  await db.sql`update public.leads_old set first_name = 'Z'`;
  assert.deepEqual(await queued(db), [["next@example.test", "new"]]);
});

Deno.test("a write into a partition is found", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(`
    create table public.signup (id bigint primary key, email text) partition by range (id);
    create table public.signup_1 partition of public.signup for values from (1) to (100);
    create table public.signup_3 (like public.signup including all);`);
  await db.sql`select mautic.attach('public.signup', source => 'signup')`;
  await compare(db);
  await db.sql`insert into public.signup_1 values (1, 'direct@example.test')`;
  await db.sql`insert into public.signup_3 values (201, 'attached@example.test')`;
  await db
    .sql`alter table public.signup attach partition public.signup_3 for values from (200) to (300)`;
  await compare(db);
  const rows = await db.sql`select lead_id from mautic.logged_lead order by 1`;
  assert.deepEqual(rows.map(({ lead_id }) => lead_id), ["signup:1", "signup:201"]);
});

for (
  const [type, key] of [
    // Ids have other lengths and another order than the keys: 8 to 12, -2 to 2.
    ["bigint", "i - 8"],
    ["int", "i"],
    ["smallint", "-i"],
    ["uuid", "md5(i::text)::uuid"],
    ["text", "case when i % 2 = 0 then upper(md5(i::text)) else md5(i::text) end"],
    ["numeric(8, 2)", "i / 4.0"],
    ["timestamptz", "timestamptz '2026-03-29 00:59 UTC' + i * interval '1 second'"],
  ] as const
) {
  Deno.test(`pages of ${type} keys miss nothing that came past the triggers and find nothing else`, async () => {
    await using db = await testDatabase();
    await db.sql.unsafe(
      `create table public.keyed (key ${type} primary key, n int unique, email text)`,
    );
    const add = (from: number, to: number) =>
      `insert into public.keyed
       select ${key}, i, 'k' || i || '@example.test' from generate_series(${from}, ${to}) i`;
    await db.sql.unsafe(add(1, 120));
    await db.sql`select mautic.attach('public.keyed', source => 'keyed')`;
    await compare(db);
    await db.sql`delete from mautic.lead_change where true`;
    await unseen(db, async (sql) => {
      await sql`update public.keyed set email = 'other' || n || '@example.test' where n in (1, 40, 99)`;
      await sql.unsafe(add(121, 123));
      await sql`delete from public.keyed where n = 60`;
    });
    await db.sql`select mautic.turn_comparison('keyed', true)`;
    for (let page = 1;; page++) {
      const [{ is_last }] = await db.sql<[{ is_last: boolean }]>`
        select mautic.compare_page('keyed', 7) as is_last`;
      if (is_last) break;
      assert.ok(page < 30, "no end");
    }
    const [told] = await db.sql`
      select compared_rows::int as met, unseen::int from mautic.attachment where source = 'keyed'`;
    assert.deepEqual(told, { met: 119, unseen: 6 });
    const rows = await db.sql<{ n: number }[]>`
      select k.n from public.keyed k
      join mautic.read_leads(array(select lead_id from mautic.logged_lead)) r on r.address = k.email
      order by k.n`;
    assert.deepEqual(rows.map(({ n }) => n), [1, 40, 99, 121, 122, 123]);
  });
}
