import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

function field(sync: Sync, email: string, alias: string): unknown {
  return sync.mautic.contactByEmail(email)?.values.get(alias) ?? null;
}

async function settleDown(sync: Sync): Promise<void> {
  sync.mautic.clearFaults();
  for (let round = 0; round < 3; round++) {
    await sync.skipWaits();
    await sync.drain();
  }
  assert.deepEqual(await outbox(sync.sql), []);
}

// After a 500 the work may be done (docs/mautic.md, "Errors").
for (const then of ["503", "429"] as const) {
  for (const count of [1, 2]) {
    Deno.test(`an edit of ${count} answered 500 with the work done, then ${then}: going back is sent`, async () => {
      await using sync = await startSync();
      for (let n = 0; n < count; n++) {
        await insertLead(sync.sql, `e${n}@example.test`, { first_name: "A" });
      }
      await sync.drain();
      sync.mautic.failNext({ kind: "500_after", match: /\/edit$/ });
      sync.mautic.failNext({
        kind: then,
        match: /\/edit$/,
        times: Infinity,
        retryAfterSeconds: 60,
      });
      await sync.sql`update public.leads set first_name = 'B'`;
      await sync.drain();
      assert.equal(field(sync, "e0@example.test", "firstname"), "B", "Mautic had done it");
      await sync.sql`update public.leads set first_name = 'A'`;
      await settleDown(sync);
      assert.equal(field(sync, "e0@example.test", "firstname"), "A");
    });

    Deno.test(`a creation of ${count} answered 500 with the work done, then ${then}: a new address makes no second contact`, async () => {
      await using sync = await startSync();
      for (let n = 0; n < count; n++) await insertLead(sync.sql, `old${n}@example.test`);
      sync.mautic.failNext({ kind: "500_after", match: /\/new$/ });
      sync.mautic.failNext({ kind: then, match: /\/new$/, times: Infinity, retryAfterSeconds: 60 });
      await sync.drain();
      assert.equal(sync.mautic.contacts.size, count, "Mautic had done it");
      await sync.sql`update public.leads set email = replace(email, 'old', 'moved')`;
      await settleDown(sync);
      const addresses = [...sync.mautic.contacts.values()].map((each) => each.values.get("email"));
      assert.equal(sync.mautic.contacts.size, count, `contacts: ${addresses}`);
    });
  }
}
