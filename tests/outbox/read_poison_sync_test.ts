import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { answer, startHostileWorld } from "../security/hostile_mautic.ts";

Deno.test("one contact that Mautic cannot show does not keep the edits of the others", async () => {
  await using world = await startHostileWorld({ MAUTIC_RETRY_DELAY_MS: "0" });
  const { sync, hostile } = world;
  for (let n = 0; n < 5; n++) await insertLead(sync.sql, `p${n}@example.test`);
  await sync.drain();
  const poison = sync.mautic.contactByEmail("p0@example.test")!.id;
  hostile.misbehave(
    new RegExp(`^/api/contacts(\\?.*search=ids%3A(.*%2C)?${poison}(%2C|&)|/${poison}(/|$))`),
    answer('{"errors":[{"code":500,"message":"Looks like I encountered an error."}]}', {
      status: 500,
    }),
  );
  await sync.sql`update public.leads set first_name = 'X'`;
  for (let round = 0; round < 7; round++) {
    await insertLead(sync.sql, `healthy${round}@example.test`);
    await sync.drain();
    await sync.skipWaits();
  }
  const left = await sync.sql<{ email: string; state: string; error_code: string }[]>`
    select l.email, o.state, o.error_code from mautic.outbox o join public.leads l on l.id::text = o.lead_id order by 1`;
  void outbox;
  assert.deepEqual(left.map((row) => row.email), ["p0@example.test"], JSON.stringify(left));
});
