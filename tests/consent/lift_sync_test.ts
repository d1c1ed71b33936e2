import assert from "node:assert/strict";
import { systemClock } from "shared/runtime/clock.ts";
import { consentComment } from "shared/consent/entry.ts";
import { insertLead } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";
import { reconciler } from "./reconcile_support.ts";
import { secret, subscriptionChanged, webhook } from "./support.ts";

/** As in delivered_test.ts: Mautic's immediate mode, the webhook is called while our call is open. */
async function startLinked() {
  let ahead = 0;
  const sync = await startSync({
    mautic: { clock: { ...systemClock, now: () => Date.now() + ahead } },
  });
  const { handler } = webhook({ ...sync.env, MAUTIC_WEBHOOK_SECRET: secret });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) =>
      await handler(new Request(request.url, { method: "POST", body: await request.text() })),
  );
  sync.mautic.addWebhook({
    ownerId: 1,
    name: "Supabase",
    url: `http://127.0.0.1:${server.addr.port}/mautic-webhook?secret=${secret}`,
    triggers: [subscriptionChanged],
  });
  return {
    sync,
    later: () => ahead += 1_000,
    async statusOf(email: string): Promise<string | null> {
      const [row] = await sync.sql`select email_status from public.leads where email = ${email}`;
      return row?.["email_status"] ?? null;
    },
    entries: (email: string) =>
      sync.mautic.contactByEmail(email)?.doNotContact.map((e) => [e.reason, e.comments]) ?? [],
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await sync[Symbol.asyncDispose]();
    },
  };
}

type Linked = Awaited<ReturnType<typeof startLinked>>;

/** A lead consents again, and while our entry is being removed in Mautic its person opts out there. */
async function optOutWhileLifting(
  { sync, later }: Linked,
  email: string,
  whileRemoving: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const id = await insertLead(sync.sql, email, {
    marketing_opt_in: false,
    ml_score: 90,
    crm_status: "qualified",
  });
  await sync.drain();
  await sync.mautic.flushHookQueue();
  later();
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${id}`;
  sync.mautic.failNext({ kind: "slow", match: "/dnc/email/remove", delayMs: 400 });
  const removing = sync.mautic.waitForStart(({ path }) => path.endsWith("/dnc/email/remove"));
  const drained = sync.drain();
  await removing;
  // The monitored mailbox takes an unsubscribe mail (no channelId: 3 becomes 1, recorded).
  await sync.mautic.addDoNotContact(email, {
    reason: 1,
    comments: "Contact unsubscribed via email",
  });
  await whileRemoving();
  later();
  await drained;
  return id;
}

async function assertPutBack({ entries, statusOf }: Linked, email: string): Promise<void> {
  assert.deepEqual(entries(email).map(([reason]) => reason), [1], "put back");
  assert.equal(await statusOf(email), "unsubscribed");
}

Deno.test("an opt-out that reaches us while our entry is lifted is put back, though Mautic tells of the lifting too", async () => {
  await using linked = await startLinked();
  const email = "race@example.test";
  await optOutWhileLifting(linked, email, async () => {
    assert.equal(await linked.statusOf(email), "unsubscribed", "the webhook has told us");
  });
  await assertPutBack(linked, email);
});

Deno.test("an opt-out that comes with the lifting of our entry is put back when Mautic's queue tells of it", async () => {
  await using linked = await startLinked();
  const { sync, entries } = linked;
  sync.mautic.settings.webhookMode = "queue";
  const email = "queued@example.test";
  await optOutWhileLifting(linked, email);
  assert.deepEqual(entries(email), [], "Mautic's removal is unconditional");
  await sync.mautic.flushHookQueue();
  await sync.drain();
  await assertPutBack(linked, email);
});

Deno.test("it is put back also when consent is denied again before that", async () => {
  await using linked = await startLinked();
  const { sync } = linked;
  sync.mautic.settings.webhookMode = "queue";
  const email = "denied@example.test";
  const id = await optOutWhileLifting(linked, email);
  await sync.mautic.flushHookQueue();
  await sync.sql`update public.leads set marketing_opt_in = false where id = ${id}`;
  await sync.drain();
  await assertPutBack(linked, email);
});

Deno.test("it is put back when the queue tells of it between our last look and our record", async () => {
  await using linked = await startLinked();
  const { sync } = linked;
  sync.mautic.settings.webhookMode = "queue";
  const email = "between@example.test";
  // The lead may be mailed, as far as we know, and is about to be enrolled.
  sync.mautic.failNext({ kind: "slow", match: /\/contacts\/\d+\/campaigns/, delayMs: 400 });
  const enrolling = sync.mautic.waitForStart(({ path }) => path.endsWith("/campaigns"));
  const told = enrolling.then(() => sync.mautic.flushHookQueue());
  await optOutWhileLifting(linked, email);
  await told;
  await sync.drain();
  await assertPutBack(linked, email);
});

Deno.test("a bounce that our own entry replaces in Mautic stays a bounce on the lead", async () => {
  await using linked = await startLinked();
  const { sync, later, statusOf } = linked;
  const email = "dead@example.test";
  const id = await insertLead(sync.sql, email, { marketing_opt_in: null });
  await sync.drain();
  await sync.sql`update public.leads set marketing_opt_in = false where id = ${id}`;
  sync.mautic.failNext({ kind: "slow", match: "/dnc/email/add", delayMs: 400 });
  const adding = sync.mautic.waitForStart((request) => request.path.endsWith("/dnc/email/add"));
  const drained = sync.drain();
  await adding;
  await sync.mautic.bounce(email);
  assert.equal(await statusOf(email), "bounced", "the webhook has told us");
  later();
  await drained;
  assert.equal(await statusOf(email), "bounced");
  await reconciler(sync).run();
  assert.equal(await statusOf(email), "bounced", `lifted by the reconciliation; ${consentComment}`);
});

Deno.test("the lifting of our own entry takes back no opt-out of another lead of the person", async () => {
  await using world = await startLinked();
  const { sync } = world;
  const email = "twice@example.test";
  const first = await insertLead(sync.sql, email, { marketing_opt_in: true });
  await sync.drain();
  // Opted out by phone; staff deletes the contact, and with it what Mautic knew of that.
  await sync.mautic.addDoNotContact(email, { reason: 3, comments: "by phone" });
  await sync.mautic.deleteContact(sync.mautic.contactByEmail(email)!.id);
  await sync
    .sql`update public.leads set first_name = 'Ada', marketing_opt_in = null where id = ${first}`;
  await sync.drain();
  // Another lead of the person denies its consent, which sets our entry, and then gives it.
  const second = await insertLead(sync.sql, email, { marketing_opt_in: false });
  await sync.drain();
  world.later();
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${second}`;
  await sync.drain();
  const [row] = await sync.sql`select email_status from public.leads where id = ${first}`;
  assert.equal(row?.["email_status"], "unsubscribed", "lifted by us");
  assert.deepEqual(world.entries(email), [[3, consentComment]]);
});

Deno.test("once nobody of a person is opted out any more, the newest lead is looked at again", async () => {
  await using world = await startLinked();
  const { sync } = world;
  const email = "again@example.test";
  const first = await insertLead(sync.sql, email, { marketing_opt_in: true });
  await sync.drain();
  await sync.sql`update public.leads set email_status = 'unsubscribed' where id = ${first}`;
  const second = await insertLead(sync.sql, email, {
    marketing_opt_in: true,
    ml_score: 90,
    crm_status: "qualified",
  });
  await sync.drain();
  assert.equal(sync.mautic.campaignMembers(sync.mautic.campaignId).length, 0);
  await sync.sql`update public.leads set email_status = null where id = ${first}`;
  await sync.drain();
  assert.equal(sync.mautic.campaignMembers(sync.mautic.campaignId).length, 1, second);
});
