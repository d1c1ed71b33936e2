/** The cron jobs: there, switched on, and their last runs. */
import type { Sql } from "postgres";
import { z } from "zod";
import { fail, type Finding, pass, warn } from "./finding.ts";

export interface CronJob {
  name: string;
  schedule: string;
  active: boolean;
  /** The newest run that has ended; null: none yet. */
  lastRun: { status: string; message: string; ageSeconds: number } | null;
}

const named = z.array(z.object({ name: z.string() }));
const jobs = z.array(z.object({
  name: z.string(),
  schedule: z.string(),
  active: z.boolean(),
  status: z.string().nullable(),
  message: z.string().nullable(),
  age: z.coerce.number().nullable(),
}));

/**
 * The jobs that should be there and those that are. What should be there is what
 * mautic.schedule_jobs() schedules, read from its text: a list here would soon be another one.
 * Errors: what postgres.js raises, e.g. without pg_cron.
 */
export async function readCron(sql: Sql): Promise<{ wanted: string[]; found: CronJob[] }> {
  const wanted = named.parse(
    await sql`
      select distinct found[1] as name
      from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace
      cross join regexp_matches(p.prosrc, '(mautic-[a-z-]*[a-z])''', 'g') as found
      where n.nspname = 'mautic' and p.proname = 'schedule_jobs'
      order by 1`,
  );
  const found = jobs.parse(
    await sql`
      select j.jobname as name, j.schedule, j.active, r.status, r.return_message as message,
        extract(epoch from clock_timestamp() - r.start_time) as age
      from cron.job j
      left join lateral (
        select status, return_message, start_time from cron.job_run_details d
        where d.jobid = j.jobid and d.status in ('succeeded', 'failed')
        order by runid desc limit 1
      ) r on true
      where j.jobname like 'mautic-%'`,
  );
  return {
    wanted: wanted.map(({ name }) => name),
    found: found.map(({ name, schedule, active, status, message, age }) => ({
      name,
      schedule,
      active,
      lastRun: status === null ? null : { status, message: message ?? "", ageSeconds: age ?? 0 },
    })),
  };
}

const staleSeconds = 180;

/** One finding for each job, `cron.<job>`. */
export function judgeCron({ wanted, found }: { wanted: string[]; found: CronJob[] }): Finding[] {
  if (wanted.length === 0) {
    return [fail("cron", "mautic.schedule_jobs() is not there", "Apply the migrations.")];
  }
  return wanted.map((name) => judgeJob(name, found.find((job) => job.name === name)));
}

function judgeJob(name: string, job: CronJob | undefined): Finding {
  const check = `cron.${name}`;
  const renew = "select mautic.schedule_jobs();";
  if (!job) return fail(check, "is not scheduled for this role", `As postgres: ${renew}`);
  if (!job.active) return fail(check, "is switched off", renew);
  const isFrequent = /second/i.test(job.schedule) || /^\*(\/1)? /.test(job.schedule);
  const { lastRun } = job;
  if (lastRun?.status === "failed") {
    return fail(
      check,
      `the last run failed: ${oneLine(lastRun.message)}`,
      "select * from cron.job_run_details order by runid desc limit 20;",
    );
  }
  if (isFrequent && (lastRun === null || lastRun.ageSeconds > staleSeconds)) {
    const when = lastRun === null
      ? "has not run yet"
      : `last ran ${Math.round(lastRun.ageSeconds / 60)} minutes ago`;
    return warn(
      check,
      `${when} (${job.schedule})`,
      "Ask again in a minute. If it stays: is pg_cron running in this database (show cron.database_name)?",
    );
  }
  return pass(
    check,
    lastRun === null ? `scheduled (${job.schedule})` : `succeeded (${job.schedule})`,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}
