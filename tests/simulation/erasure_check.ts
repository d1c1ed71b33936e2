import { z } from "zod";
import type { World } from "./world.ts";

const left = z.object({ contacts: z.number(), links: z.number(), queued: z.number() })
  .array().length(1);

/**
 * Who was erased is gone, from Mautic and from what we keep to send. Not looked at is whom somebody
 * brought back, by a lead or a call, and whose contact people merged in Mautic.
 */
export async function checkErasures(
  { database, mautic, deeds, ledger }: World,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { address, at } of deeds.erasures) {
    // Its own deletion of the leads is noted some microseconds later.
    const isBack = deeds.doubled.has(address) ||
      ledger.versions.some((each) => each.address === address && each.until_ms > at + 1) ||
      deeds.direct.some((call) => call.address === address && call.endedAt >= at);
    if (isBack) continue;
    if (mautic.contactByEmail(address)) problems.push(`${address} was erased and is in Mautic`);
    const rows = await database.step((sql) =>
      sql`
      select
        (select count(*)::int from mautic.contact c where c.address = ${address}) as contacts,
        (select count(*)::int from mautic.contact_link k where k.address = ${address}) as links,
        (select count(*)::int from mautic.outbox o
          where ${address} = any (mautic.attempted_addresses(o.attempted))) as queued`
    );
    for (const [what, count] of Object.entries(left.parse([...rows])[0] ?? {})) {
      if (count > 0) problems.push(`${address} was erased, ${count} ${what} tell of it`);
    }
  }
  return problems;
}
