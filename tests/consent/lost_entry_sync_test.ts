import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("an entry of ours whose answer was lost is lifted once the lead consents, although nobody has seen it", async () => {
  await using sync = await startSync();
  sync.mautic.failNext({ kind: "cut_after", match: "/dnc/email/add" });
  const id = await insertLead(sync.sql, "a@example.test", { marketing_opt_in: false });
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map(({ ambiguous }) => ambiguous), [true]);
  const entries = () => sync.mautic.contactByEmail("a@example.test")?.doNotContact.length;
  assert.equal(entries(), 1);

  await sync.sql`update public.leads set marketing_opt_in = true where id = ${id}`;
  await sync.skipWaits();
  await sync.drain();
  assert.equal(entries(), 0);
  assert.deepEqual(await outbox(sync.sql), []);
});
