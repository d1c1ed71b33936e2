import assert from "node:assert/strict";
import { migrate } from "../../local/supabase/migrate.ts";
import { testDatabase } from "../support/database.ts";
import { claim, startWorker } from "../support/leads.ts";

Deno.test("the migrations work on an existing leads table with a bigint key and columns of its own", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql`create type public.stage as enum ('new', 'qualified')`;
  await db.sql`
    create table public.leads (
      id bigint generated always as identity primary key,
      email varchar(300) not null,
      first_name varchar(40),
      crm_status public.stage,
      ml_score integer,
      owner_note text
    )`;
  await db.sql`insert into public.leads (email, first_name) values ('old@example.test', 'Old')`;
  await migrate({ databaseUrl: db.url });

  await db
    .sql`insert into public.leads (email, crm_status, ml_score) values ('New@example.test', 'qualified', 90)`;
  const taken = await claim(db.sql, await startWorker(db.sql));
  assert.deepEqual(taken.items.map((item) => [item.lead_id, item.address]), [[
    "2",
    "new@example.test",
  ]]);
  assert.equal((await db.sql`select from public.leads where owner_note is null`).count, 2);
});

Deno.test("an existing leads table without row level security stays as open as the application had it", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql`create table public.leads (id int primary key, email text)`;
  await db.sql`grant select, insert on public.leads to anon`;
  await migrate({ databaseUrl: db.url });
  await db.sql.begin(async (anon) => {
    await anon`set local role anon`;
    await anon`insert into public.leads (id, email) values (1, 'open@example.test')`;
    assert.equal((await anon`select from public.leads`).count, 1);
  });
  const [status] = await db.sql<{ changes: number }[]>`
    select count(*)::int as changes from mautic.lead_change`;
  assert.equal(status?.changes, 1);
});

const refused: [string, string, RegExp][] = [
  [
    "a view",
    "create view public.leads as select 1 as id, 'a@example.test'::text as email",
    /public\.leads is a view/,
  ],
  ["a table without a key", "create table public.leads (id uuid, email text)", /has no key/],
];
for (const [what, statement, message] of refused) {
  Deno.test(`the migrations leave ${what} named leads alone, and attach refuses it in words that name the remedy`, async () => {
    await using db = await testDatabase({ migrations: false });
    await db.sql.unsafe(statement);
    await migrate({ databaseUrl: db.url });
    assert.equal((await db.sql`select from mautic.attachment`).count, 0);
    await assert.rejects(db.sql`select mautic.attach('public.leads')`.execute(), message);
  });
}

Deno.test("the migrations leave a leads table of another owner alone, and attach names both roles", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.admin`create table public.leads (id uuid primary key, email text)`;
  await migrate({ databaseUrl: db.url });
  await assert.rejects(
    db.sql`select mautic.attach('public.leads')`.execute(),
    /does not own public\.leads[^]*owner to postgres/,
  );
  assert.equal(
    (await db
      .sql`select from pg_attribute where attrelid = 'public.leads'::regclass and attnum > 0`)
      .count,
    2,
  );
});

Deno.test("without pg_net, pg_cron and Vault the migrations apply and the outbox still fills", async () => {
  await using db = await testDatabase({ standIns: false });
  await db.sql`insert into public.leads (email) values ('alone@example.test')`;
  assert.equal((await claim(db.sql, await startWorker(db.sql))).items.length, 1);
  await db.sql`insert into public.leads (email) values ('second@example.test')`;
  await db.sql`delete from mautic.worker`;
  const [swept] = await db.sql<{ sweep: string }[]>`select mautic.sweep() as sweep`;
  assert.equal(swept?.sweep, "no_pg_net");
  const [jobs] = await db.sql<{ jobs: string }[]>`select mautic.schedule_jobs() as jobs`;
  assert.equal(jobs?.jobs, "no_pg_cron");
});

Deno.test("the sweep is scheduled, once, however often it is asked for", async () => {
  await using db = await testDatabase();
  await db.sql`select mautic.schedule_jobs()`;
  const jobs = await db.sql<{ schedule: string; command: string }[]>`
    select schedule, command from cron.job where jobname = 'mautic-sweep'`;
  assert.deepEqual([...jobs], [{ schedule: "10 seconds", command: "select mautic.sweep()" }]);
});

Deno.test("what locks leads for a while has a job of its own, so that its locks end with it", async () => {
  await using db = await testDatabase();
  const jobs = await db.sql<{ command: string }[]>`
    select command from cron.job
    where jobname in ('mautic-attach', 'mautic-read', 'mautic-compare') order by jobname`;
  assert.deepEqual(jobs.map(({ command }) => command), [
    "select mautic.attach_declared()",
    "select mautic.compare()",
    "select mautic.read_unseen()",
  ]);
});

Deno.test("schedule_jobs() switches on what was switched off", async () => {
  await using db = await testDatabase();
  await db.sql`select cron.alter_job(jobid, active => false) from cron.job`;
  await db.sql`select mautic.schedule_jobs()`;
  assert.equal((await db.sql`select from cron.job where not active`).count, 0);
});
