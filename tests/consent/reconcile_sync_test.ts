import assert from "node:assert/strict";
import { consentComment } from "shared/consent/entry.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";
import { reconciler, statusOf } from "./reconcile_support.ts";
import { change, secret, subscriptionChanged, webhook } from "./support.ts";

/** Leads that are contacts in Mautic, as a drain leaves them. */
async function synced(sync: Sync, names: string[]): Promise<void> {
  for (const name of names) await insertLead(sync.sql, `${name}@example.com`);
  await sync.drain();
  const [row] = await sync.sql`select count(*)::int as n from mautic.contact_link`;
  assert.equal(row?.n, names.length);
}

Deno.test("what happened while the webhook was off is on the lead rows after one run", async () => {
  await using sync = await startSync();
  const { mautic } = sync;
  await synced(sync, ["bounced", "calm", "complained", "staff", "unsubscribed"]);
  await mautic.unsubscribe("unsubscribed@example.com");
  await mautic.bounce("bounced@example.com");
  await mautic.complain("complained@example.com");
  await mautic.addDoNotContact("staff@example.com", { reason: 3, comments: "asked by phone" });
  await mautic.addDoNotContact("calm@example.com", { reason: 1, channel: "sms" });

  const { run } = reconciler(sync);
  const first = await run();
  assert.deepEqual([first.state, first.rowsRead, first.changedLeads], ["done", 5, 4]);
  const off = {
    bounced: "bounced",
    calm: null,
    complained: "complained",
    staff: "unsubscribed",
    unsubscribed: "unsubscribed",
  };
  assert.deepEqual(await statusOf(sync), off);
  const told = await sync.sql`select type, detail from public.lead_activity order by type`;
  assert.deepEqual(told.map((row) => [row["type"], row["detail"].source]), [
    ["email_bounced", "reconcile"],
    ["email_complained", "reconcile"],
    ["email_unsubscribed", "reconcile"],
    ["email_unsubscribed", "reconcile"],
  ]);

  const before = mautic.requests.length;
  const second = await run();
  assert.equal(second.changedLeads, 0);
  // A token for each, then one page and one count.
  assert.ok(mautic.requests.length - before <= 5);

  for (const name of ["bounced", "complained", "unsubscribed"]) {
    await mautic.resubscribe(`${name}@example.com`);
  }
  const third = await run();
  assert.deepEqual([third.state, third.changedLeads], ["done", 2]);
  assert.deepEqual(await statusOf(sync), {
    ...off,
    bounced: "subscribed",
    unsubscribed: "subscribed",
  });
  assert.equal((await run()).contactsChecked, 0);
});

Deno.test("a resubscription is found whose opt-out came by webhook; a later opt-out outweighs it", async () => {
  await using sync = await startSync();
  const { mautic } = sync;
  await synced(sync, ["ann"]);
  const { post } = webhook({ ...sync.env, MAUTIC_WEBHOOK_SECRET: secret });
  const contact = mautic.contactByEmail("ann@example.com");
  const tell = (status: string, at: number) =>
    post({ [subscriptionChanged]: [change({ id: contact?.id ?? 0, status, at })] });
  await tell("unsubscribed", 10);
  const { run } = reconciler(sync);
  assert.equal((await run()).changedLeads, 1);
  assert.deepEqual(await statusOf(sync), { ann: "subscribed" });
  await tell("unsubscribed", 11);
  assert.deepEqual(await statusOf(sync), { ann: "unsubscribed" });
});

Deno.test("an opt-out that arrives while its contact is being read stays", async () => {
  await using sync = await startSync();
  await synced(sync, ["ann"]);
  const { post } = webhook({ ...sync.env, MAUTIC_WEBHOOK_SECRET: secret });
  const id = sync.mautic.contactByEmail("ann@example.com")?.id ?? 0;
  const tell = (at: number) =>
    post({ [subscriptionChanged]: [change({ id, status: "unsubscribed", at })] });
  await tell(10);
  const { client } = reconciler(sync);
  let at = 10;
  const { run } = reconciler(sync, {
    mautic: {
      ...client,
      async contactsByIds(ids, correlationId) {
        const read = await client.contactsByIds(ids, correlationId);
        await tell(at += 10);
        return read;
      },
    },
  });
  await run();
  assert.deepEqual(await statusOf(sync), { ann: "unsubscribed" });
});

Deno.test("our own marked entry is no status, and contacts that are gone are asked for once", async () => {
  await using sync = await startSync();
  const { mautic } = sync;
  await synced(sync, ["gone", "ours"]);
  await mautic.addDoNotContact("ours@example.com", { reason: 3, comments: consentComment });
  await mautic.unsubscribe("gone@example.com");
  const { run } = reconciler(sync);
  await run();
  await mautic.deleteContact(mautic.contactByEmail("gone@example.com")?.id ?? 0);
  assert.equal((await run()).contactsChecked, 1);
  assert.equal((await run()).contactsChecked, 0);
  assert.deepEqual(await statusOf(sync), { gone: "unsubscribed", ours: null });
});

Deno.test("an entry older than the link is on the lead as soon as it is linked", async () => {
  await using sync = await startSync();
  const { client, run } = reconciler(sync);
  await client.createContact({ email: "old@example.com" });
  await sync.mautic.unsubscribe("old@example.com");
  await run();
  await synced(sync, ["old"]);
  assert.deepEqual(await statusOf(sync), { old: "unsubscribed" });
});

Deno.test("a delivery can be read again from its raw body", async () => {
  await using sync = await startSync();
  await synced(sync, ["ann"]);
  const { post } = webhook({ ...sync.env, MAUTIC_WEBHOOK_SECRET: secret });
  const event = change({ email: "ann@example.com", status: "bounced" });
  await post({ [subscriptionChanged]: [event] });
  // As if the reading had missed the event.
  await sync.sql`delete from mautic.webhook_event`;
  await sync.sql`delete from mautic.subscription`;
  await sync.sql`update public.leads set email_status = null, email_status_changed_at = null`;
  const [asked] = await sync.sql`select mautic.replay_webhook(1, true) ->> 'state' as state`;
  assert.equal(asked?.["state"], "to_read");
  const { run } = reconciler(sync);
  assert.equal((await run()).changedLeads, 1);
  assert.deepEqual(await statusOf(sync), { ann: "bounced" });
  const [row] = await sync.sql`
    select e.occurred_at = d.last_received_at as then, d.unread
    from mautic.webhook_event e join mautic.webhook_delivery d on d.id = e.delivery_id`;
  assert.deepEqual({ ...row }, { then: true, unread: false });
});

Deno.test("what Mautic refuses is raised, and the next run starts where this one did", async () => {
  await using sync = await startSync();
  await synced(sync, ["ann"]);
  await sync.mautic.unsubscribe("ann@example.com");
  const { client, run } = reconciler(sync);
  const refused = reconciler(sync, {
    mautic: {
      ...client,
      doNotContactStats: () => Promise.reject(new MauticError("forbidden", "no access")),
    },
  });
  await assert.rejects(refused.run(), { code: "forbidden" });
  assert.equal((await run()).changedLeads, 1);
});

Deno.test("only one run at a time, and a run out of time is gone on with", async () => {
  await using sync = await startSync();
  await synced(sync, ["ann"]);
  await sync.mautic.unsubscribe("ann@example.com");
  const { database, run } = reconciler(sync);
  await database.startReconcile(sync.mautic.url, 60_000);
  assert.equal((await run()).state, "busy");
  await database.abandonReconcile(sync.mautic.url);
  assert.equal((await reconciler(sync, { budgetMs: 0 }).run()).state, "out_of_time");
  assert.equal((await run()).changedLeads, 1);
});

Deno.test("10,000 entries take few requests and a page of memory", async () => {
  await using sync = await startSync();
  const { client, run } = reconciler(sync);
  const people = 10_000;
  for (let from = 0; from < people; from += 200) {
    await client.batchNew(Array.from({ length: 200 }, (_, index) => ({
      email: `p${from + index}@example.com`,
      doNotContact: [{ channel: "email", reason: 1, comments: "" }],
    })));
  }
  await sync
    .sql`insert into public.leads (email) select 'p' || n || '@example.com' from generate_series(0, 9999) n`;
  await sync.sql`insert into mautic.contact_link (origin, lead_id, contact_id)
    select ${sync.mautic.url}, id::text, 1 + substr(split_part(email, '@', 1), 2)::int from public.leads`;
  await sync.sql`delete from mautic.lead_change`;

  let before = sync.mautic.requests.length;
  const api = () =>
    sync.mautic.requests.slice(before).filter(({ path }) => path.startsWith("/api/")).length;
  const all = await run();
  assert.deepEqual([all.rowsRead, all.changedLeads], [people, people]);
  assert.ok(api() <= 12, String(api()));
  // One of them resubscribes: the whole table is read, and one contact.
  await sync.mautic.resubscribe("p77@example.com");
  before = sync.mautic.requests.length;
  const one = await run();
  assert.deepEqual([one.contactsChecked, one.changedLeads], [1, 1]);
  assert.ok(api() <= 24, String(api()));
});
