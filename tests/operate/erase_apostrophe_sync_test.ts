import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { answer, startHostileWorld } from "../security/hostile_mautic.ts";

// Mautic 5 and 6 escape what `where` compares with as HTML, so that an address with an apostrophe is
// never found by it (docs/mautic.md, "Reading and finding").
Deno.test("erase() finds a contact whose address has an apostrophe, as a Mautic 5 or 6 filters", async () => {
  await using world = await startHostileWorld();
  const { sync, hostile } = world;
  // Made by another project: there is no link of ours.
  await insertLead(sync.sql, "o'neil@example.test");
  await sync.drain();
  await sync.sql`delete from mautic.contact`;
  await sync.sql`delete from mautic.contact_link`;
  await sync.sql`delete from public.leads`;
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 1);
  hostile.misbehave(/^\/api\/contacts\?.*where.*(%27|')/, answer('{"total":"0","contacts":{}}'));
  await sync.sql`select mautic.erase(${"o'neil@example.test"})`;
  await sync.drain();
  const [told] = await sync
    .sql`select result, action from mautic.sync_history order by id desc limit 1`;
  assert.equal(
    sync.mautic.contacts.size,
    0,
    `still in Mautic; the history says ${told?.["result"]}, ${told?.["action"]}`,
  );
});
