import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("a merge met by a single edit: the newest lead's values stand, also where it had nothing to send", async () => {
  await using sync = await startSync();
  const older = "00000000-0000-0000-0000-00000000000a";
  const newer = "00000000-0000-0000-0000-00000000000b";
  await insertLead(sync.sql, "loser@example.test", { id: older, first_name: "Older" });
  await insertLead(sync.sql, "winner@example.test", { id: newer, first_name: "Newer" });
  await sync.drain();
  const id = (name: string) => sync.mautic.contactByEmail(`${name}@example.test`)!.id;
  const survivor = id("winner");
  await sync.mautic.mergeContacts(id("loser"), survivor);
  await sync.sql`update public.leads set phone = '1' where id = ${older}`;
  await sync.sql`update public.leads set marketing_opt_in = false where id = ${newer}`;
  for (let round = 0; round < 3; round++) await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(sync.mautic.contacts.get(survivor)!.values.get("firstname"), "Newer");
});
