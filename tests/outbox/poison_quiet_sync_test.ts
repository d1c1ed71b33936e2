import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const poison = "Poison Ltd";

/** Mautic fails on whatever is to be saved of that company. */
async function startPoisoned(kind: "500" | "502"): Promise<Sync> {
  const sync = await startSync();
  sync.mautic.failNext({
    kind,
    times: Infinity,
    match: ({ method, body }) => method !== "GET" && JSON.stringify(body ?? null).includes(poison),
  });
  return sync;
}

async function letPass(sync: Sync, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await sync.drain();
    await sync.skipWaits();
  }
}

// More than a probe holds, so that a probe could be of nothing else.
const poisonous = 8;

for (const kind of ["500", "502"] as const) {
  Deno.test(`a new lead gets through beside many that Mautic answers ${kind} to, where nothing else is sent`, async () => {
    await using sync = await startPoisoned(kind);
    for (let index = 0; index < poisonous; index++) {
      await insertLead(sync.sql, `poison${index}@example.test`, { company: poison });
    }
    await letPass(sync, 10);
    const [sending] = await sync.sql`select opened_at is not null as opened from mautic.sending`;
    assert.deepEqual(sending, { opened: true });

    await insertLead(sync.sql, "healthy@example.test");
    await letPass(sync, 2);
    assert.ok(sync.mautic.contactByEmail("healthy@example.test"), "it waits behind the others");
  });

  Deno.test(`a lead gets through that came behind many that Mautic answers ${kind} to`, async () => {
    await using sync = await startPoisoned(kind);
    await sync.sql`
      insert into public.leads (email, company, created_at)
      select 'l' || i || '@example.test', case when i <= ${poisonous} then ${poison} end, now()
      from generate_series(1, ${poisonous + 1}::int) i`;
    // Two that fail end a round; whose answer is lost is twice sent with the others before.
    await letPass(sync, poisonous / 2 + 1 + (kind === "502" ? 2 : 0));
    assert.ok(sync.mautic.contactByEmail(`l${poisonous + 1}@example.test`));
  });
}
