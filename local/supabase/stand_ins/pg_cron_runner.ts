/**
 * The runner behind the stand-in of pg_cron (pg_cron.sql). As with the real one, times
 * are UTC, a job runs in a session of its own as its user, never twice at a time, and a run that
 * comes due meanwhile follows at once (crontab) or is left out (interval).
 */
import { Cron } from "croner";
import type { Sql } from "postgres";
import { z } from "zod";
import { interruptibleSleep } from "../../process/sleep.ts";
import { connect } from "../../../cli/connect.ts";

export type JobRun = { status: "succeeded" | "failed"; return_message: string };

export type PgCronRunner = {
  /**
   * Runs a job now, whatever its schedule, and waits for its end.
   *
   * @throws {Error} when there is no such job
   */
  tickNow(jobname: string): Promise<JobRun>;
  /** Starts nothing more by schedule until `resume()`. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
};

const jobSchema = z.object({
  jobid: z.string(),
  schedule: z.string(),
  command: z.string(),
  database: z.string(),
  username: z.string(),
});
type Job = z.infer<typeof jobSchema>;

/** What the runner remembers of a job; times in milliseconds. */
type JobState = { lastStart: number; lastMinute: number; running: boolean; due: boolean };

/** Starts the runner of a database, on the connection string of the superuser. */
export function startPgCron(databaseUrl: string): PgCronRunner {
  const sql = connect(databaseUrl, { max: 4 });
  const jobs = new Map<string, JobState>();
  const running = new Set<Promise<unknown>>();
  const state = { paused: false, stopped: false };
  const nap = interruptibleSleep();

  const start = (job: Job, now: number) => {
    const known = jobs.get(job.jobid);
    if (known === undefined) return;
    Object.assign(known, { lastStart: now, running: true, due: false });
    const run = runJob(sql, databaseUrl, job).catch(() => {
      // The server is gone, or the stack is ending.
    }).finally(() => {
      known.running = false;
      running.delete(run);
    });
    running.add(run);
  };

  const tick = async (now: number) => {
    const rows = await sql`
      select jobid, schedule, command, database, username from cron.job where active
    `;
    for (const job of z.array(jobSchema).parse(rows.map((row) => ({ ...row })))) {
      const minute = Math.floor(now / 60_000);
      const known = jobs.get(job.jobid) ??
        { lastStart: now, lastMinute: minute, running: false, due: false };
      jobs.set(job.jobid, known);
      if (isDue(job.schedule, known, now)) known.due = true;
      known.lastMinute = minute;
      if (known.due && !known.running) start(job, now);
    }
  };

  const work = async () => {
    while (!state.stopped) {
      // A database without pg_cron, or a server that restarts, is looked at again.
      if (!state.paused) await tick(Date.now()).catch(() => {});
      await nap.sleep(1000 - Date.now() % 1000);
    }
  };
  const working = work();
  return {
    tickNow: async (jobname) => {
      const rows = await sql`
        select jobid, schedule, command, database, username from cron.job
        where jobname = ${jobname}
      `;
      const job = jobSchema.safeParse({ ...rows[0] });
      if (!job.success) throw new Error(`There is no cron job named ${jobname}`);
      return await runJob(sql, databaseUrl, job.data);
    },
    pause: () => {
      state.paused = true;
    },
    resume: () => {
      state.paused = false;
    },
    stop: async () => {
      state.stopped = true;
      nap.end();
      await sql.end({ timeout: 1 });
      await Promise.all([working, ...running]);
    },
  };
}

function isDue(schedule: string, known: JobState, now: number): boolean {
  const interval = /^\s*(\d+)\s+seconds?\s*$/i.exec(schedule);
  if (interval !== null) {
    return !known.running && now - known.lastStart >= Number(interval[1]) * 1000 - 500;
  }
  if (schedule === "@reboot" || Math.floor(now / 60_000) === known.lastMinute) return false;
  // pg_cron writes the last day of a month as `$`, this library as `L`.
  const pattern = new Cron(schedule.replace("$", "L"), { timezone: "UTC", paused: true });
  return pattern.match(new Date(Math.floor(now / 60_000) * 60_000));
}

/** Runs a job's command and keeps the record of it in cron.job_run_details. */
async function runJob(sql: Sql, databaseUrl: string, job: Job): Promise<JobRun> {
  const url = Object.assign(new URL(databaseUrl), { pathname: `/${job.database}` });
  const session = connect(url.href, { max: 1 });
  try {
    const [backend] = await session`select pg_backend_pid() as pid`;
    const [record] = await sql`
      insert into cron.job_run_details
        (jobid, job_pid, database, username, command, status, start_time)
      values
        (${job.jobid}, ${backend?.pid}, ${job.database}, ${job.username}, ${job.command},
          'running', clock_timestamp())
      returning runid
    `;
    const run = await execute(session, job);
    await sql`
      update cron.job_run_details
      set
        status = ${run.status},
        return_message = ${run.return_message},
        end_time = clock_timestamp()
      where runid = ${record?.runid}
    `;
    return run;
  } finally {
    await session.end({ timeout: 1 });
  }
}

async function execute(session: Sql, job: Job): Promise<JobRun> {
  try {
    // Sent together: on a connection opened anew in between, the job would run as the superuser.
    const [, result] = await Promise.all([
      session`select set_config('session_authorization', ${job.username}, false)`,
      session.unsafe(job.command),
    ]);
    const rows = `${result.count} row${result.count === 1 ? "" : "s"}`;
    const message = result.command === "SELECT" ? rows : `${result.command} ${result.count ?? ""}`;
    return { status: "succeeded", return_message: message.trim() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: "failed", return_message: `ERROR:  ${message}\n` };
  }
}
