/** Going live: which project may send to which Mautic, and what waits for it. */
import type { Sql } from "postgres";
import { z } from "zod";

/** A project, as its function finds the database, and a Mautic. */
export interface Pair {
  project: string;
  origin: string;
}

/** A pair whose function asked for leads, or of which somebody said mautic.go_live(). */
export interface Deployment extends Pair {
  live: boolean;
}

/** What would go out, or could. */
export interface Waiting {
  queued: number;
  /** There before their table was attached; sent by a confirmed replay only. */
  known: number;
  /** Of both. */
  withoutConsent: number;
  withoutAddress: number;
}

const rows = {
  deployments: z.array(
    z.object({ project: z.string(), origin: z.string(), live: z.boolean() }),
  ),
  waiting: z.array(z.object({
    queued: z.number(),
    known: z.number(),
    withoutConsent: z.number(),
    withoutAddress: z.number(),
  })).length(1),
};

/** The pairs that are known here, those that asked last at the end. Errors: what postgres.js raises. */
export async function readDeployments(sql: Sql): Promise<Deployment[]> {
  return rows.deployments.parse(
    await sql`
      select project, origin, live_at is not null as live from mautic.deployment
      order by seen_at, project, origin`,
  );
}

/**
 * Counts what waits. Leads that no function has looked at yet are read from their tables. Errors:
 * what postgres.js raises.
 */
export async function readWaiting(sql: Sql): Promise<Waiting> {
  const [waiting] = rows.waiting.parse(
    await sql`
      with queued as (
        select o.lead_id from mautic.outbox o
        union
        select c.lead_id from mautic.logged_lead c
      ), lead as (
        select s.address, s.consent, s.known_since is not null as is_known
        from mautic.lead_state s
        where s.gone_at is null and s.known_since is not null or s.lead_id in (select q.lead_id from queued q)
        union all
        select r.address, (r.payload ->> 'consent')::boolean, false
        from mautic.read_leads(array(
          select q.lead_id from queued q
          where not exists (select from mautic.lead_state s where s.lead_id = q.lead_id))) r
      )
      select
        (select count(*)::int from queued) as queued,
        count(*) filter (where is_known)::int as known,
        count(*) filter (where consent is distinct from true)::int as "withoutConsent",
        count(*) filter (where address is null)::int as "withoutAddress"
      from lead`,
  );
  return waiting ?? { queued: 0, known: 0, withoutConsent: 0, withoutAddress: 0 };
}

export function isSamePair(one: Pair, other: Pair): boolean {
  return one.project === other.project && one.origin === other.origin;
}

/**
 * The projects that this database was copied from: it lets them send, and this one nowhere. A
 * project is told from its copy by the address of its function, which no copy brings along.
 */
export function originalsOf({ project }: Pick<Pair, "project">, known: Deployment[]): string[] {
  const live = known.filter((each) => each.live).map((each) => each.project);
  return live.includes(project) ? [] : [...new Set(live)];
}

/** The statement that lets a project send. */
export function goLiveStatement({ project, origin }: Pair): string {
  const quoted = [project, origin].map((text) => `'${text.replaceAll("'", "''")}'`);
  return `select mautic.go_live(${quoted.join(", ")});`;
}

/** The numbers in words. */
export function waitingLine({ queued, known, withoutConsent, withoutAddress }: Waiting): string {
  return `${queued} queued, ${known} known (they wait for a confirmed replay); ` +
    `of these ${withoutConsent} without consent, ${withoutAddress} without an address`;
}
