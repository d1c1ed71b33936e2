/** What `deno task status` shows, read from any database that has the migrations. */
import type { Sql } from "postgres";
import { z } from "zod";

const count = z.number();
const time = z.string().nullable();

/** The view `mautic.status`, ages in milliseconds, and the newest dead letters. */
export const statusSchema = z.object({
  pending: count,
  leased: count,
  waiting: count,
  dead: count,
  dead_by_reason: z.record(z.string(), count),
  due_now: count,
  unfolded: count,
  unreadable: count,
  required_field: count,
  required_fields: z.string().nullable(),
  without_address: count,
  shape_problems: count,
  oldest_pending_age_ms: count.nullable(),
  oldest_due_age_ms: count.nullable(),
  workers_alive: count,
  sent_last_hour: count,
  failed_last_hour: count,
  latency_median_ms: count.nullable(),
  latency_p95_ms: count.nullable(),
  last_sent_at: time,
  token_expires_at: time,
  last_webhook_at: time,
  webhook_failed: count,
  live: z.boolean(),
  deployments: z.array(
    z.object({ project: z.string(), origin: z.string(), live_at: z.string().nullable() }),
  ),
  paused: z.boolean(),
  paused_at: time,
  pause_reason: z.string().nullable(),
  circuit: z.enum(["closed", "open"]),
  circuit_opened_at: time,
  circuit_reason: z.string().nullable(),
  circuit_probe_at: time,
});
const deadLetterSchema = z.object({
  lead_id: z.string(),
  reason: z.string().nullable(),
  remedy: z.string(),
  attempts: count,
  last_error: z.string().nullable(),
  since: z.iso.datetime({ offset: true }),
});

export type Status = z.infer<typeof statusSchema>;
export type DeadLetter = z.infer<typeof deadLetterSchema>;
export interface Report {
  status: Status;
  dead_letters: DeadLetter[];
}

/**
 * Reads the status and up to `deadLetters` dead letters.
 *
 * @throws {Error} with the remedy, where the database has no such schema
 */
export async function readReport(sql: Sql, deadLetters: number): Promise<Report> {
  const [found] = await sql`select to_regclass('mautic.status') is not null as there`;
  if (found?.["there"] !== true) {
    throw new Error(
      "The database has no view mautic.status. Apply the migrations first: npx supabase db push",
    );
  }
  const [row] = await sql`select mautic.read_status() as status`;
  const letters = await sql`
    select to_jsonb(d) as letter from mautic.dead_letter d limit ${deadLetters}`;
  return {
    status: statusSchema.parse(row?.["status"]),
    dead_letters: letters.map((each) => deadLetterSchema.parse(each["letter"])),
  };
}
