import { z } from "zod";
import type { SimulatedDatabase } from "./database.ts";
import type { Deeds } from "./history.ts";

/** What leads were over time, for questions about the past. */
export interface PeopleLedger {
  read(database: SimulatedDatabase, deeds: Deeds): Promise<void>;
  /** Did several leads ever have this address? */
  isShared(address: string): boolean;
  /** Did any lead of this person allow an enrolment at that time, or shortly before? */
  isEligible(email: string, at: number): boolean;
}

/** A worker may hold what it claimed for as long as its lease is renewed. */
const slackMs = 300_000;

const version = z.object({
  lead_id: z.string(),
  address: z.string().nullable(),
  eligible: z.boolean(),
  from_ms: z.coerce.number(),
  until_ms: z.coerce.number(),
});

export function createPeopleLedger(): PeopleLedger {
  let versions: z.infer<typeof version>[] = [];
  const directs: { address: string; leadId: string; from: number; until: number }[] = [];
  return {
    async read(database, deeds) {
      const rows = await database.step((sql) =>
        sql`
        select lead_id, address, eligible,
          extract(epoch from at) * 1000 as from_ms,
          coalesce(extract(epoch from lead(at) over (partition by lead_id order by place)) * 1000, 1e15) as until_ms
        from simulation.version order by place`
      );
      versions = z.array(version).parse([...rows]);
      for (const { address, leadId, startedAt, endedAt } of deeds.direct) {
        directs.push({ address, leadId, from: startedAt, until: endedAt });
      }
    },
    isShared(address) {
      const leads = new Set(
        [...versions.filter((each) => each.address === address)].map((each) => each.lead_id),
      );
      for (const each of directs) if (each.address === address) leads.add(each.leadId);
      return leads.size > 1;
    },
    isEligible(email, at) {
      const person = email.trim().toLowerCase();
      const ids = new Set(
        versions.filter((each) => each.address === person).map((each) => each.lead_id),
      );
      return versions.some((each) =>
        ids.has(each.lead_id) && each.eligible && each.from_ms <= at &&
        each.until_ms >= at - slackMs
      ) || directs.some((each) =>
        each.address === person && each.from <= at && each.until >= at - slackMs
      );
    },
  };
}
