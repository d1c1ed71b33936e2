import { z } from "zod";
import { leadPayloadSchema } from "shared/lead/payload.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { DirectCall } from "./history.ts";

/** One state of a lead, and how long it lasted, in the scheduler's milliseconds. */
const version = z.object({
  lead_id: z.string(),
  /** null: the lead is gone. */
  payload: leadPayloadSchema.nullable(),
  address: z.string().nullable(),
  from_ms: z.number(),
  until_ms: z.number(),
});
export type Version = z.infer<typeof version>;

const link = z.object({ lead_id: z.string(), contact_id: z.coerce.number(), at_ms: z.number() });

/** A payload that may be enrolled, by the settings of the simulation. */
export const eligible = z.object({
  stage: z.enum(["qualified", "converted"]),
  consent: z.literal(true),
  score: z.number().min(70),
});

/** What leads were over time, for questions about the past. */
export interface PeopleLedger {
  versions: Version[];
  links: z.infer<typeof link>[];
  /** Did several leads ever have this address? */
  isShared(address: string): boolean;
  /** Did any lead of this person allow an enrolment at that time, or shortly before? */
  isEligible(email: string, at: number): boolean;
  /** Was a lead linked to this contact at some time between the two? */
  wasLinked(contactId: number, from: number, until: number): boolean;
  /** The addresses that leads linked to this contact ever had. */
  addressesOf(contactId: number): string[];
  /** From when to when the lead's newest change may have been made: a table's write, or a call. */
  newestChange(leadId: string): { from: number; until: number };
}

/** A worker may hold what it claimed for as long as its lease is renewed, and then retry. */
const slackMs = 300_000;

export async function readLedger(
  database: SimulatedDatabase,
  directs: DirectCall[],
): Promise<PeopleLedger> {
  const rows = await database.step((sql) =>
    sql`
    select lead_id, address, payload, at as from_ms,
      coalesce(lead(at) over (partition by lead_id order by place), 1e15) as until_ms
    from simulation.version order by place`
  );
  const versions = z.array(version).parse([...rows]);
  const linkRows = await database.step((sql) =>
    sql`select lead_id, contact_id, at as at_ms from simulation.link order by place`
  );
  const links = z.array(link).parse([...linkRows]);

  function leadsWith(address: string): Set<string> {
    return new Set([
      ...versions.filter((each) => each.address === address).map((each) => each.lead_id),
      ...directs.filter((each) => each.address === address).map((each) => each.leadId),
    ]);
  }

  return {
    versions,
    links,
    isShared: (address) => leadsWith(address).size > 1,
    isEligible(email, at) {
      const ids = leadsWith(email.trim().toLowerCase());
      const states = [
        ...versions.map((each) => ({
          leadId: each.lead_id,
          payload: each.payload,
          from: each.from_ms,
          until: each.until_ms,
        })),
        ...directs.map((each) => ({
          leadId: each.leadId,
          payload: each.payload,
          from: each.startedAt,
          until: each.endedAt,
        })),
      ];
      return states.some(({ leadId, payload, from, until }) =>
        ids.has(leadId) && from <= at && until >= at - slackMs &&
        eligible.safeParse(payload).success
      );
    },
    wasLinked: (contactId, from, until) =>
      links.some((each, index) => {
        if (each.contact_id !== contactId || each.at_ms > until) return false;
        const next = links.find((other, place) => place > index && other.lead_id === each.lead_id);
        return next === undefined || next.at_ms >= from;
      }),
    addressesOf(contactId) {
      const ids = new Set(
        links.filter((each) => each.contact_id === contactId).map((each) => each.lead_id),
      );
      return [
        ...versions.filter((each) => ids.has(each.lead_id)).flatMap(({ address }) => address ?? []),
        ...directs.filter((each) => ids.has(each.leadId)).map(({ address }) => address),
      ];
    },
    newestChange(leadId) {
      const own = versions.findLast((each) => each.lead_id === leadId)?.from_ms ?? -Infinity;
      const calls = directs.filter((each) => each.leadId === leadId);
      return {
        // A call may have come to nothing.
        from: own,
        until: Math.max(own, ...calls.map((call) => call.endedAt)),
      };
    },
  };
}
