import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("a late answer of a lost lease does not hand a contact to whoever takes its old address", async () => {
  await using sync = await startSync();
  const mover = await insertLead(sync.sql, "old@example.test", { first_name: "Mover" });
  await sync.drain();
  const contact = sync.mautic.contactByEmail("old@example.test")!.id;
  await sync.sql`update public.leads set email = 'new@example.test' where id = ${mover}`;
  await sync.drain();
  // A worker that was frozen when it had its answer, before the move, wakes up now.
  const late = [{
    lead_id: mover,
    result: "done",
    contact_id: contact,
    address: "old@example.test",
    lead_address: "old@example.test",
    changed_at: "2026-01-01T00:00:00Z",
  }];
  await sync.sql`
    select mautic.settle(${sync.mautic.url}, gen_random_uuid(), ${sync.sql.json(late)})`;

  await insertLead(sync.sql, "old@example.test", { first_name: "Stranger" });
  await sync.drain();
  assert.deepEqual(
    [...sync.mautic.contacts.values()].map((
      each,
    ) => [each.values.get("email"), each.values.get("firstname")]),
    [["new@example.test", "Mover"], ["old@example.test", "Stranger"]],
  );
});
