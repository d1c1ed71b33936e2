import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";

Deno.test("a bulk is logged in rows of many leads, each of which is named once with its own cause and columns", async () => {
  await using db = await testDatabase();
  await db.sql`
    insert into public.leads (email, last_name)
    select 'n' || i || '@example.test', i from generate_series(1, 1000) i`;
  const [inserted] = await db.sql`
    select count(*)::int as leads, count(distinct lead_id)::int as different, count(distinct id)::int as rows
    from mautic.logged_lead where cause = 'insert' and lane = 'bulk'`;
  assert.equal(inserted!["leads"], 1000);
  assert.equal(inserted!["different"], 1000);
  assert.ok(inserted!["rows"] < 100, `${inserted!["rows"]} rows`);

  await db.sql`delete from mautic.lead_change where true`;
  // What one statement does differently to its rows.
  await db.sql`
    update public.leads set
      first_name = case when last_name::int % 2 = 0 then 'Ann' end,
      ml_score = case when last_name::int % 3 = 0 then 7 else ml_score end`;
  const causes = await db.sql`
    select array(select mautic.columns_changed(c.column_set, c.changed)::text order by 1) as columns, count(*)::int as leads,
      bool_and((l.last_name::int % 2 = 0) = (c.changed_first) and (l.last_name::int % 3 = 0) = (c.changed_score)) as right
    from (
      select *, 'first_name' in (select mautic.columns_changed(column_set, changed)) as changed_first,
        'ml_score' in (select mautic.columns_changed(column_set, changed)) as changed_score
      from mautic.logged_lead
    ) c join public.leads l on l.id::text = c.lead_id
    group by 1 order by 1`;
  assert.deepEqual([...causes], [
    { columns: ["first_name"], leads: 334, right: true },
    { columns: ["first_name", "ml_score"], leads: 166, right: true },
    { columns: ["ml_score"], leads: 167, right: true },
  ]);
});

Deno.test("each changed column is named, however many the table has", async () => {
  await using db = await testDatabase();
  const names = Array.from({ length: 66 }, (_, i) => `c${i + 1}`);
  await db.sql.unsafe(`
    create schema crm;
    create table crm.wide (id bigint primary key, email text, ${
    names.map((name) => `${name} int`).join(", ")
  });
    insert into crm.wide (id, email) select i, 'w' || i || '@example.test' from generate_series(1, 300) i`);
  await db.sql`select mautic.attach('crm.wide', source => 'wide')`;
  for (const name of names) await db.sql`select mautic.map_field(${name}, ${name}, 'wide')`;
  for (const many of ["id = 7", "true"]) {
    await db.sql`delete from mautic.lead_change where true`;
    await db.sql.unsafe(`
      update crm.wide set c1 = 1, c63 = 1, c64 = 1, c66 = 1 where ${many};
      update crm.wide set c1 = 2, c2 = 2, c63 = 1, c65 = 2 where ${many}`);
    const told = await db.sql<{ columns: string[] }[]>`
      select distinct array(select mautic.columns_changed(column_set, changed)::text) as columns
      from mautic.logged_lead where lead_id = 'wide:7'`;
    assert.deepEqual(
      told.map(({ columns }) => columns.toSorted().join()).sort(),
      ["c1,c2,c65", "c1,c63,c64,c66"],
      many,
    );
    await db.sql`
      update crm.wide set c1 = null, c2 = null, c63 = null, c64 = null, c65 = null, c66 = null`;
  }
});

Deno.test("erase takes its lead out of a bulk's rows and leaves the others of them", async () => {
  await using db = await testDatabase();
  // What the application does when a row of the one table goes: it writes all rows of the other.
  await db.sql.unsafe(`
    create schema crm;
    create table crm.person (id bigint primary key, email text);
    create function crm.score_anew() returns trigger language plpgsql as
    'begin update public.leads set ml_score = 50 where ml_score is distinct from 50; return null; end';
    create trigger score_anew after delete on crm.person for each row execute function crm.score_anew()`);
  await db.sql`select mautic.attach('crm.person', source => 'a_person', rank => 0)`;
  await db.sql`insert into crm.person values (1, 'n250@example.test')`;
  await db.sql`
    insert into public.leads (email) select 'n' || i || '@example.test' from generate_series(1, 500) i`;
  const [gone] = await db.sql<{ id: string }[]>`
    select id::text from public.leads where email = 'n250@example.test'`;
  await db.sql`select mautic.erase('n250@example.test', delete_leads => true)`;
  const left = await db.sql<{ lead_id: string }[]>`select lead_id from mautic.logged_lead`;
  const ids = left.map(({ lead_id }) => lead_id);
  assert.ok(!ids.includes(gone!.id));
  assert.equal(new Set(ids).size, 499);
});

Deno.test("detach forgets what a bulk of its source logged, and nothing of another source", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(`
    create schema crm;
    create table crm.person (id bigint primary key, email text)`);
  await db.sql`select mautic.attach('crm.person', source => 'person')`;
  await db
    .sql`insert into crm.person select i, 'p' || i || '@example.test' from generate_series(1, 300) i`;
  await db
    .sql`insert into public.leads (email) select 'n' || i || '@example.test' from generate_series(1, 300) i`;
  await db.sql`select mautic.detach('person')`;
  const [left] = await db.sql`
    select count(*)::int as leads, count(*) filter (where lead_id like 'person:%')::int as of_person
    from mautic.logged_lead`;
  assert.deepEqual(left, { leads: 300, of_person: 0 });
});

Deno.test("a fold takes whole rows of the log until it has as many leads as it may, and loses none", async () => {
  await using db = await testDatabase();
  await db.sql`
    insert into public.leads (email) select 'n' || i || '@example.test' from generate_series(1, 1000) i`;
  const [first] = await db.sql<{ more: boolean }[]>`select mautic.fold(100) as more`;
  assert.equal(first?.more, true);
  const [folded] = await db.sql<{ n: number }[]>`select count(*)::int as n from mautic.outbox`;
  assert.ok(folded!.n >= 100 && folded!.n < 200, `${folded!.n}`);
  while ((await db.sql<{ more: boolean }[]>`select mautic.fold(100) as more`)[0]!.more);
  const [all] = await db.sql`select count(*)::int as n from mautic.outbox`;
  assert.deepEqual(all, { n: 1000 });
});

Deno.test("none of a bulk's rows is older than one that came before it", async () => {
  await using db = await testDatabase();
  await db.sql`
    insert into public.leads (email, last_name)
    select 'n' || i || '@example.test', i from generate_series(1, 500) i`;
  const [order] = await db.sql`
    select count(*)::int as leads, count(*) filter (where t.changed_at < t.before)::int as older,
      count(distinct t.changed_at) > 24 as differ
    from (
      select c.changed_at, lag(c.changed_at) over (order by l.last_name::int) as before
      from mautic.logged_lead c join public.leads l on l.id::text = c.lead_id
    ) t`;
  assert.deepEqual(order, { leads: 500, older: 0, differ: true });
});
