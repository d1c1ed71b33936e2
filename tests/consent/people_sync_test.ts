import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";
import { reconciler, statusOf } from "./reconcile_support.ts";
import {
  bodyOf,
  type Change,
  link,
  outcomes,
  secret,
  startWebhook,
  statuses,
  webhook,
} from "./support.ts";

function teller(sync: Sync) {
  const { post } = webhook({ ...sync.env, MAUTIC_WEBHOOK_SECRET: secret });
  return (...changes: Change[]) => post(bodyOf(...changes));
}

Deno.test("a resubscription without a webhook is found of a contact that is matched by address only", async () => {
  await using sync = await startSync();
  const { mautic } = sync;
  const { client, run } = reconciler(sync);
  // Two forms at once made two contacts of her: the lead becomes a dead letter and is not linked.
  mautic.holdSaves(2);
  await Promise.all([1, 2].map(() => client.createContact({ email: "ann@example.com" })));
  assert.deepEqual(mautic.duplicateEmails(), ["ann@example.com"]);
  await insertLead(sync.sql, "ann@example.com");
  await sync.drain();
  const [dead] = await sync.sql`select reason from mautic.dead_letter`;
  assert.equal(dead?.["reason"], "duplicate_contact");
  const id = mautic.contactByEmail("ann@example.com")?.id ?? 0;
  await mautic.unsubscribe("ann@example.com");
  await teller(sync)({ id, email: "ann@example.com", status: "unsubscribed", at: 10 });
  await run();
  assert.deepEqual(await statusOf(sync), { ann: "unsubscribed" });
  await mautic.resubscribe("ann@example.com");
  const checked = [];
  for (let period = 0; period < 3; period++) checked.push((await run()).contactsChecked);
  assert.deepEqual(await statusOf(sync), { ann: "subscribed" }, `contacts checked: ${checked}`);
});

Deno.test("a resubscription that its webhook tells of during a reconciliation is not taken back by it", async () => {
  await using sync = await startSync();
  const { mautic } = sync;
  await insertLead(sync.sql, "ann@example.com");
  await sync.drain();
  await mautic.unsubscribe("ann@example.com");
  const { database, run } = reconciler(sync);
  await run();
  assert.deepEqual(await statusOf(sync), { ann: "unsubscribed" });
  const id = mautic.contactByEmail("ann@example.com")?.id ?? 0;
  const now = Math.round((Date.now() - Date.UTC(2026, 0, 5)) / 1000) + 2;
  const during = reconciler(sync, {
    database: {
      ...database,
      async contactsToCheck(...args) {
        await mautic.resubscribe("ann@example.com");
        await teller(sync)({ id, email: "ann@example.com", status: "contactable", at: now });
        assert.deepEqual(await statusOf(sync), { ann: "subscribed" });
        return await database.contactsToCheck(...args);
      },
    },
  });
  await during.run();
  assert.deepEqual(await statusOf(sync), { ann: "subscribed" });
});

Deno.test("a complaint that an operator lifted by hand is not brought back by an old event", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const one = await insertLead(db.sql, "a@example.test");
  await link(db, one, 7, "a@example.test");
  await outcomes(inbox, { id: 7, email: "a@example.test", status: "complained", at: 1 });
  assert.deepEqual(await statuses(db), { "a@example.test": "complained" });
  // Talked to on the phone; taken out of Mautic's list as well.
  await db
    .sql`update public.leads set email_status = 'subscribed', email_status_changed_at = mautic.clock()`;
  // The same person fills in a second form: another lead of the same contact.
  const two = await insertLead(db.sql, "b@example.test");
  await link(db, two, 7, "a@example.test");
  assert.equal((await statuses(db))["a@example.test"], "subscribed");
});

Deno.test("a status that somebody wrote over staff's manual entry is Mautic's again", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const id = await insertLead(db.sql, "hand@example.test");
  await link(db, id, 7, "hand@example.test");
  const origin = "https://mautic.example.test";
  const rows = [{
    id: 7,
    contact_id: 7,
    channel: "email",
    kind: "manual",
    added_at: "2026-01-05T00:00:00Z",
  }];
  await db.sql`select mautic.record_do_not_contact(${origin}, ${
    db.sql.json(rows)
  }, null, null, 'c')`;
  for (const written of ["subscribed", null]) {
    await db
      .sql`update public.leads set email_status = ${written}, email_status_changed_at = mautic.clock()`;
    await db
      .sql`select mautic.assert_do_not_contact(${origin}, 0, 100, 'c'), mautic.finish_reconcile(${origin})`;
    assert.deepEqual(await statuses(db), { "hand@example.test": "unsubscribed" }, String(written));
  }
});

Deno.test("an opt-out of a merged contact reaches the lead of the contact that was merged away", async () => {
  await using sync = await startSync();
  const { mautic } = sync;
  const { run } = reconciler(sync);
  for (const name of ["a", "b"]) await insertLead(sync.sql, `${name}@example.com`);
  await sync.drain();
  const [a, b] = ["a", "b"].map((name) => mautic.contactByEmail(`${name}@example.com`)?.id ?? 0);
  await mautic.mergeContacts(a!, b!);
  await mautic.unsubscribe("b@example.com");
  await run();
  assert.deepEqual(await statusOf(sync), { a: "unsubscribed", b: "unsubscribed" });
  // The newest lead of the two is what the contact shows from then on.
  await sync.drain();
  assert.equal(mautic.contacts.get(b!)?.values.get("email"), "b@example.com");
});
