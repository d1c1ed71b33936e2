import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";

Deno.test("purge() deletes attempts, rings and run logs by their settings, and nobody else's", async () => {
  await using db = await testDatabase();
  const { sql, admin } = db;
  await sql`
    insert into mautic.sync_history (at, lead_id, result, attempt, correlation_id)
    select now() - age, 'lead', 'done', 1, 'c' from unnest(array['29 days', '31 days', '400 days']::interval[]) age`;

  // Two rings of ours, an old and a new one, and answers of other people's requests.
  await sql`select mautic.ring('old')`;
  await sql`select mautic.ring('new')`;
  const ids = await sql<{ request_id: number }[]>`
    select request_id::int from mautic.ring_sent order by id`;
  const [old, fresh] = ids.map((row) => row.request_id);
  await sql`update mautic.ring_sent set rung_at = now() - interval '7 hours' where request_id = ${old!}`;
  await admin`
    insert into net._http_response (id, status_code, created)
    values (${old!}, 202, now() - interval '7 hours' + interval '1 second'),
      (${fresh!}, 202, now()),
      (${old!}, 200, now() - interval '2 days'),
      (${fresh! + 1000}, 200, now() - interval '7 hours')`;

  await sql`select cron.schedule('somebody-elses', '* * * * *', 'select 1')`;
  await admin`
    insert into cron.job_run_details (jobid, username, status, end_time, start_time)
    select j.jobid, 'postgres', 'succeeded', t.at, t.at
    from cron.job j, unnest(array[now() - interval '3 days', now() - interval '1 day']) as t(at)
    where j.jobname in ('mautic-sweep', 'somebody-elses')`;

  const [purged] = await sql<{ purge: Record<string, number> }[]>`select mautic.purge()`;
  assert.deepEqual(purged?.purge, { history: 2, rings: 1, cron_log: 1 });
  assert.equal((await sql`select from mautic.sync_history`).count, 1);
  const answers = await admin<{ id: number; status_code: number }[]>`
    select id::int, status_code from net._http_response order by created`;
  assert.deepEqual(answers.map((row) => [row.id, row.status_code]), [
    [old, 200],
    [fresh! + 1000, 200],
    [fresh, 202],
  ]);
  const runs = await admin<{ jobname: string; n: number }[]>`
    select j.jobname, count(*)::int as n
    from cron.job_run_details d join cron.job j using (jobid) group by 1 order by 1`;
  assert.deepEqual(runs.map((row) => [row.jobname, row.n]), [["mautic-sweep", 1], [
    "somebody-elses",
    2,
  ]]);
  const [again] = await sql<{ purge: Record<string, number> }[]>`select mautic.purge()`;
  assert.deepEqual(again?.purge, { history: 0, rings: 0, cron_log: 0 });
});

Deno.test("the settings decide what is kept, and cron purges every hour", async () => {
  await using db = await testDatabase();
  await db.sql`
    insert into mautic.sync_history (at, lead_id, result, attempt, correlation_id)
    values (now() - interval '3 days', 'lead', 'done', 1, 'c')`;
  await db.sql`select mautic.set('history_days', '2')`;
  const [job] = await db.sql<{ command: string; schedule: string }[]>`
    select command, schedule from cron.job where jobname = 'mautic-purge'`;
  assert.equal(job?.schedule, "7 * * * *");
  await db.sql.unsafe(job!.command);
  assert.equal((await db.sql`select from mautic.sync_history`).count, 0);
});

Deno.test("without pg_net and pg_cron purge() purges what there is", async () => {
  await using db = await testDatabase({ standIns: false });
  const [purged] = await db.sql<{ purge: Record<string, number> }[]>`select mautic.purge()`;
  assert.deepEqual(purged?.purge, { history: 0, rings: 0, cron_log: 0 });
});

Deno.test("a database that may not touch pg_net's or pg_cron's tables purges the rest", async () => {
  await using db = await testDatabase();
  await db.admin`revoke all on net._http_response from postgres`;
  await db.admin`revoke all on cron.job_run_details from postgres`;
  await db.sql`select mautic.ring('one')`;
  await db.sql`update mautic.ring_sent set rung_at = now() - interval '7 hours'`;
  const [purged] = await db.sql<{ purge: Record<string, number> }[]>`select mautic.purge()`;
  assert.deepEqual(purged?.purge, { history: 0, rings: 0, cron_log: 0 });
  assert.equal((await db.sql`select from mautic.ring_sent`).count, 0);
});
