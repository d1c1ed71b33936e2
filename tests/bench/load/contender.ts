/** One way of bringing leads to Mautic, as the benchmarks drive it. */
import type { Sql } from "postgres";
import type { MauticEmulator } from "../../../local/mautic/emulator.ts";
import { realisticLatency } from "../../../local/mautic/load.ts";
import { type Stack, type StackOptions, startStack } from "../../../local/stack.ts";
import { type Arrivals, createArrivals } from "./arrivals.ts";
import { type BenchLead, leads } from "./leads.ts";

export interface Contender extends AsyncDisposable {
  name: string;
  mautic: MauticEmulator;
  arrivals: Arrivals;
  /** Resolves once the leads are committed; they may be in Mautic much later. */
  commit(leads: BenchLead[]): Promise<void>;
  /** Requests to edge functions so far. */
  invocations(): Promise<number>;
  /** Resolves when nothing is going on any more: no worker, no request. */
  quiet(): Promise<void>;
}

/** The local stack with a Mautic of a real server's capacity, or `speed` times that, and who arrives there. */
export async function startLoadStack(
  { speed, ...options }: StackOptions & { speed?: number | undefined } = {},
): Promise<{ stack: Stack; arrivals: Arrivals }> {
  const arrivals = createArrivals();
  const stack = await startStack({
    ...options,
    mautic: {
      latency: realisticLatency(speed),
      onContactSaved: (contact) => arrivals.note(String(contact.values.get("email"))),
    },
  });
  return { stack, arrivals };
}

/** One statement, as an import is. */
export async function insertLeads(sql: Sql, rows: BenchLead[]): Promise<void> {
  await sql`
    insert into public.leads
      (email, first_name, last_name, phone, company, crm_status, utm_source)
    select email, first_name, last_name, phone, company, crm_status, utm_source
    from jsonb_to_recordset(${sql.json(rows)}) as lead (
      email text, first_name text, last_name text, phone text, company text, crm_status text,
      utm_source text
    )`;
}

/** How many requests pg_net was given so far: every ring of a bell or of a webhook is one. */
export async function pgNetRequests(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select coalesce(pg_sequence_last_value('net.http_request_queue_id_seq'), 0)::int as count`;
  return row?.count ?? 0;
}

/** Starts processes and fetches tokens with one lead, then forgets that it was there. */
export async function warmUp(contender: Contender): Promise<void> {
  await contender.commit(leads("warm-up", 1));
  await contender.arrivals.reached(1);
  await contender.quiet();
  contender.arrivals.reset();
}
