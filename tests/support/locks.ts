import type { TestDatabase } from "./database.ts";

/** Resolves once `work` has ended, or waits for a lock that somebody holds. */
export async function endsOrWaits(db: TestDatabase, work: Promise<unknown>): Promise<void> {
  let isOver = false;
  work.finally(() => isOver = true).catch(() => {});
  await db.until(async () => {
    const waiting = await db.admin`
      select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return isOver || waiting.count > 0;
  });
}

/** Resolves once `work` has ended, or holds this lead. */
export async function endsOrHolds(
  db: TestDatabase,
  work: Promise<unknown>,
  leadId: string,
): Promise<void> {
  let isOver = false;
  work.finally(() => isOver = true).catch(() => {});
  await db.until(async () => {
    const free = await db.sql`select from public.leads where id = ${leadId} for share skip locked`;
    return isOver || free.count === 0;
  });
}
