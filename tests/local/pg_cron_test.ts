import assert from "node:assert/strict";
import { startPgCron } from "../../local/supabase/stand_ins/pg_cron_runner.ts";
import { createTestDatabase } from "../../dev/test_database.ts";

Deno.test("tickNow() runs a job as its user and records the run", async () => {
  await using database = await createTestDatabase();
  const runner = startPgCron(database.adminUrl);
  try {
    runner.pause();
    await database.sql`create table seen (name text)`;
    await database.sql`
      select cron.schedule('note', '0 0 1 1 *', 'insert into seen select session_user')
    `;
    const run = await runner.tickNow("note");
    assert.deepEqual(run, { status: "succeeded", return_message: "INSERT 1" });
    const [seen] = await database.sql`select name from seen`;
    assert.equal(seen?.name, "postgres");
    const [details] = await database.sql`
      select status, username, start_time <= end_time as in_order from cron.job_run_details
    `;
    assert.deepEqual({ ...details }, { status: "succeeded", username: "postgres", in_order: true });
  } finally {
    await runner.stop();
  }
});

Deno.test("a job that fails is recorded with the error", async () => {
  await using database = await createTestDatabase();
  const runner = startPgCron(database.adminUrl);
  try {
    runner.pause();
    await database.sql`select cron.schedule('wrong', '0 0 1 1 *', 'select 1/0')`;
    const run = await runner.tickNow("wrong");
    assert.deepEqual(run, { status: "failed", return_message: "ERROR:  division by zero\n" });
  } finally {
    await runner.stop();
  }
});

Deno.test("a job with an interval runs by itself", async () => {
  await using database = await createTestDatabase();
  const ran = Promise.withResolvers<void>();
  await database.session().listen("ran", () => ran.resolve());
  const runner = startPgCron(database.adminUrl);
  try {
    await database.sql`select cron.schedule('often', '1 seconds', 'notify ran')`;
    await ran.promise;
  } finally {
    await runner.stop();
  }
});

Deno.test("cron.schedule() replaces a job of the same name, leaves it switched off, and refuses a wrong schedule", async () => {
  await using database = await createTestDatabase();
  const [first] = await database.sql`select cron.schedule('job', '* * * * *', 'select 1') as id`;
  const [second] = await database.sql`select cron.schedule('job', '5 seconds', 'select 2') as id`;
  assert.equal(first?.id, second?.id);
  const [job] = await database.sql`
    select schedule, command, username, active from cron.job where jobname = 'job'
  `;
  assert.deepEqual({ ...job }, {
    schedule: "5 seconds",
    command: "select 2",
    username: "postgres",
    active: true,
  });
  await database.sql`select cron.alter_job(${first?.id}, active => false)`;
  await database.sql`select cron.schedule('job', '6 seconds', 'select 3')`;
  const [off] = await database.sql`select schedule, active from cron.job where jobname = 'job'`;
  assert.deepEqual({ ...off }, { schedule: "6 seconds", active: false });
  await assert.rejects(
    async () => await database.sql`update cron.job set active = true`,
    /permission denied/,
  );
  for (const schedule of ["60 seconds", "0 seconds", "* * * *", "soon"]) {
    await assert.rejects(
      async () => await database.sql`select cron.schedule(${schedule}, 'select 1')`,
      /invalid schedule/,
    );
  }
  await database.sql`select cron.unschedule('job')`;
  await assert.rejects(
    async () => await database.sql`select cron.unschedule('job')`,
    /could not find valid entry/,
  );
});
