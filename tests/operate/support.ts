import type postgres from "postgres";

/** The one row that says whether anything is sent. */
export interface Sending {
  paused: boolean;
  halts: number;
  opened: boolean;
  probes: number;
  /** Until the next probe; null while the circuit is closed. */
  pause_seconds: number | null;
}

/** Reads pause and circuit. */
export async function sending(sql: postgres.Sql): Promise<Sending> {
  const [row] = await sql<Sending[]>`
    select paused_at is not null as paused, halts, opened_at is not null as opened, probes,
      round(extract(epoch from probe_at - mautic.clock()))::int as pause_seconds
    from mautic.sending`;
  return row!;
}

/** Makes the next probe due now: pauses between probes are up to half a minute. */
export async function skipPause(sql: postgres.Sql): Promise<void> {
  await sql`update mautic.sending set probe_at = mautic.clock() where probe_at is not null`;
}
