import type postgres from "postgres";

/** The Mautic that the database tests pretend to talk to. */
export const origin = "https://mautic.example.test";

/** Shapes of what the SQL functions answer, as far as the tests look at them. */
export interface ClaimedItem {
  lead_id: string;
  operation: string;
  attempt: number;
  superseded: boolean;
  contact_id: number | null;
  address: string | null;
  attempted: { address: string | null; payload: unknown }[];
  email_status: string | null;
  payload: { email: string | null; missing: string[] } | null;
}
export interface Claimed {
  state: string;
  lease_token: string;
  items: ClaimedItem[];
  more: boolean;
}

/** Starts a worker and returns its id. */
export async function startWorker(
  sql: postgres.Sql,
  leaseMs = 60_000,
  maxWorkers = 10,
): Promise<string> {
  const id = crypto.randomUUID();
  await sql`select mautic.start_worker(${id}, ${maxWorkers}, ${leaseMs})`;
  return id;
}

/** Claims for a worker. */
export async function claim(
  sql: postgres.Sql,
  workerId: string,
  { limit = 50, leaseMs = 60_000, at = origin } = {},
): Promise<Claimed> {
  await sql`insert into mautic.deployment (project, origin, live_at)
    values ('', ${at}, now()) on conflict do nothing`;
  const [row] = await sql<{ claim: Claimed }[]>`
    select mautic.claim(${workerId}, ${at}, ${limit}, ${leaseMs}) as claim`;
  return row!.claim;
}

/** Settles outcomes under a claim's lease. */
export async function settle(
  sql: postgres.Sql,
  token: string,
  outcomes: Record<string, postgres.JSONValue>[],
  at = origin,
): Promise<{ settled: number; lost: string[] }> {
  const [row] = await sql<{ settle: { settled: number; lost: string[] } }[]>`
    select mautic.settle(${at}, ${token}, ${sql.json(outcomes)}) as settle`;
  return row!.settle;
}

/** The outcome of a lead that is in Mautic now, as this contact with this address. */
export function done(leadId: string, contactId: number, address: string | null) {
  return { lead_id: leadId, result: "done", contact_id: contactId, address };
}

/** Inserts a lead and returns its id. */
export async function insertLead(
  sql: postgres.Sql | postgres.ReservedSql | postgres.TransactionSql,
  email: string,
  more: Record<string, string | number | boolean | null> = {},
): Promise<string> {
  const [row] = await sql<{ id: string }[]>`insert into public.leads ${
    sql({ email, ...more })
  } returning id`;
  return row!.id;
}

/** The outbox rows by lead. */
export async function outbox(sql: postgres.Sql) {
  const rows = await sql<
    {
      lead_id: string;
      state: string;
      attempts: number;
      version: string;
      ambiguous: boolean;
      error_code: string | null;
    }[]
  >`select lead_id, state, attempts, version, ambiguous, error_code
    from mautic.outbox order by enqueued_at, lead_id`;
  return [...rows];
}

/** How many rings wait in pg_net's queue. */
export async function rings(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from net.http_request_queue`;
  return row!.n;
}
