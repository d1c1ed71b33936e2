import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { answer, startHostileWorld } from "../security/hostile_mautic.ts";

// Mautic 7 answers 409 while somebody has the item open: it passes (docs/mautic.md, "Errors").
Deno.test("a contact that somebody has open in Mautic waits, and is no dead letter", async () => {
  await using world = await startHostileWorld();
  const { sync, hostile } = world;
  const id = await insertLead(sync.sql, "open@example.test");
  await sync.drain();
  const contact = sync.mautic.contactByEmail("open@example.test")!.id;
  hostile.misbehave(
    new RegExp(`^/api/contacts/${contact}/edit`),
    answer('{"errors":[{"code":409,"message":"The item is checked out.","details":[]}]}', {
      status: 409,
    }),
  );
  await sync.sql`update public.leads set first_name = 'X' where id = ${id}`;
  for (let round = 0; round < 7; round++) {
    await insertLead(sync.sql, `healthy${round}@example.test`);
    await sync.drain();
    await sync.skipWaits();
  }
  assert.deepEqual(
    (await outbox(sync.sql)).filter((row) => row.state === "dead").map((row) => row.error_code),
    [],
  );
});
