import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { activities, link, outcomes, startWebhook, statuses } from "./support.ts";

Deno.test("all leads of an address are one person", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "A@example.test");
  await insertLead(db.sql, "a@example.test ");
  await insertLead(db.sql, "b@example.test");
  await outcomes(inbox, { id: 9, email: "a@EXAMPLE.test", status: "bounced", at: 1 });
  assert.deepEqual(await statuses(db), {
    "A@example.test": "bounced",
    "a@example.test ": "bounced",
    "b@example.test": null,
  });
  assert.equal((await activities(db)).length, 2);
});

Deno.test("the linked contact counts before the address", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const linked = await insertLead(db.sql, "new@example.test");
  await insertLead(db.sql, "old@example.test");
  await insertLead(db.sql, "new@example.test ");
  await link(db, linked, 5, "old@example.test");
  await outcomes(inbox, { id: 5, email: "old@example.test", status: "unsubscribed", at: 1 });
  assert.deepEqual(await statuses(db), {
    "new@example.test": "unsubscribed",
    "new@example.test ": "unsubscribed",
    "old@example.test": null,
  });
});

Deno.test("an id of another Mautic is nobody's", async () => {
  await using inbox = await startWebhook({ MAUTIC_BASE_URL: "https://other.example.test" });
  const { db } = inbox;
  const lead = await insertLead(db.sql, "a@example.test");
  await link(db, lead, 5, "a@example.test");
  assert.deepEqual(await outcomes(inbox, { id: 5, status: "bounced", at: 1 }), ["pending"]);
});

Deno.test("an event that overtakes our own answer waits for the link", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const lead = await insertLead(db.sql, "typed@example.test");
  assert.deepEqual(
    await outcomes(
      inbox,
      { id: 7, status: "unsubscribed", at: 1 },
      { id: 7, status: "bounced", at: 2 },
    ),
    ["pending", "pending"],
  );
  await link(db, lead, 7, "typed@example.test");
  assert.deepEqual(await statuses(db), { "typed@example.test": "bounced" });
  assert.equal((await activities(db)).length, 1);
  // And a further lead of the person takes it over, whatever its address.
  const later = await insertLead(db.sql, "other@example.test");
  await link(db, later, 7, "typed@example.test");
  assert.equal((await statuses(db))["other@example.test"], "bounced");
});

Deno.test("an event whose address becomes a lead's later is applied by cron's next run", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const event = { id: 7, email: "later@example.test", status: "unsubscribed", at: 1 };
  assert.deepEqual(await outcomes(inbox, event), ["pending"]);
  await db.sql`select mautic.apply_pending_events()`;
  await insertLead(db.sql, "Later@example.test");
  const [swept] = await db.sql`select mautic.apply_pending_events() as n`;
  assert.equal(swept?.n, 1);
  assert.deepEqual(await statuses(db), { "Later@example.test": "unsubscribed" });
});
