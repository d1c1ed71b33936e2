import assert from "node:assert/strict";
import { claim, outbox, settle, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

// docs/adapt.md sends people with jsonb columns to edit the view; a consent in jsonb needs a cast.
Deno.test("a lead that the adapted view cannot read is a dead letter or waits, but is not forgotten", async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.leads add column profile jsonb`;
  const [{ definition }] = await db.sql<[{ definition: string }]>`
    select pg_get_viewdef('mautic.lead'::regclass) as definition`;
  await db.sql.unsafe(
    `create or replace view mautic.lead with (security_invoker = true) as ${
      definition.replace(
        "'marketing_opt_in', marketing_opt_in",
        "'marketing_opt_in', (profile ->> 'opt_in')::boolean",
      )
    }`,
  );
  await db.sql`
    insert into public.leads (email, profile) values
      ('good@example.test', '{"opt_in": "true"}'), ('bad@example.test', '{"opt_in": "perhaps"}')`;
  const taken = await claim(db.sql, await startWorker(db.sql));
  const good = taken.items.filter((item) => item.address === "good@example.test");
  assert.equal(good.length, 1);
  await settle(
    db.sql,
    taken.lease_token,
    good.map((item) => ({ lead_id: item.lead_id, result: "done" })),
  );
  assert.equal((await outbox(db.sql)).length, 1, "nothing tells of bad@example.test any more");
});
