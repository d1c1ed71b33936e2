import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { insertLead, startWorker } from "../support/leads.ts";

Deno.test("no setting makes whoever calls a function of ours read with the owner's rights", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "a@example.test");
  // Its reader fails from here on.
  await db.sql`alter table public.leads rename column first_name to given_name`;
  await db.sql`
    insert into mautic.deployment (project, origin, live_at) values ('', 'https://m.example.test', now())`;
  const worker = await startWorker(db.sql);
  const settings = await db.sql<{ name: string }[]>`
    select distinct m[1] || 'lead' as name
    from pg_proc p, regexp_matches(p.prosrc, '''(mautic\.[a-z_]+_)''', 'g') m
    where p.pronamespace = 'mautic'::regnamespace`;
  assert.ok(settings.some(({ name }) => name === "mautic.lacking_lead"));
  const owners = `(select s.value from mautic.setting s where s.name = 'bulk_rows')`;
  for (
    const value of [
      `{fields.phone,"') || ${owners} || ('"}`,
      `{"', (${owners}), '"}`,
      `select k, 'lead', ${owners}, '{}', null, null::timestamptz, 0 from unnest($1) k`,
    ]
  ) {
    const session = await db.sql.reserve();
    await session`set role service_role`;
    try {
      for (const { name } of settings) await session`select set_config(${name}, ${value}, false)`;
      const rows = await session<{ claim: unknown }[]>`
        select mautic.claim(${worker}, 'https://m.example.test', 10, 60000) as claim`
        .catch((error: Error) => [{ claim: error.message }]);
      const told = JSON.stringify(rows);
      assert.doesNotMatch(told, /"100"|: ?100\b/, `read as the owner: ${told}`);
    } finally {
      await session`reset all`;
      await session`reset role`;
      session.release();
    }
    await db
      .sql`select mautic.give_back(lease_token) from mautic.outbox where lease_token is not null`;
  }
});
