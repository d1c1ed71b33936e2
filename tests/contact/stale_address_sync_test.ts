import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

Deno.test("a new lead does not land on a contact that has had its address only before", async () => {
  await using sync = await startSync();
  const first = await insertLead(sync.sql, "desk@example.test", { first_name: "Ann" });
  await sync.drain();
  // Ann has another address now, by staff or a form in Mautic; her lead is deleted (and the contact kept).
  await editInMautic(sync, sync.mautic.contactByEmail("desk@example.test")!.id, {
    email: "ann@elsewhere.test",
  });
  await sync.sql`delete from public.leads where id = ${first}`;
  await sync.drain();
  await insertLead(sync.sql, "desk@example.test", { first_name: "Bob" });
  for (let round = 0; round < 2; round++) await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.deepEqual(
    [...sync.mautic.contacts.values()].map((
      each,
    ) => [each.values.get("email"), each.values.get("firstname")]),
    [["ann@elsewhere.test", "Ann"], ["desk@example.test", "Bob"]],
  );
});

async function editInMautic(sync: Sync, id: number, fields: object): Promise<void> {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: sync.mautic.clientId,
    client_secret: sync.mautic.clientSecret,
  });
  const token = await (await fetch(`${sync.mautic.url}/oauth/v2/token`, { method: "POST", body }))
    .json();
  const answer = await fetch(`${sync.mautic.url}/api/contacts/${id}/edit`, {
    method: "PATCH",
    headers: { Authorization: `Bearer ${token.access_token}`, "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
}
