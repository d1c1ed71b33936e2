import assert from "node:assert/strict";
import { systemClock } from "shared/runtime/clock.ts";
import { consentComment } from "shared/consent/entry.ts";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";
import { activities, secret, subscriptionChanged, webhook } from "./support.ts";

interface Linked extends AsyncDisposable {
  sync: Sync;
  statusOf(email: string): Promise<string | null>;
  /** Called with each body before it is handled, while Mautic waits. */
  before(look: (body: string) => Promise<void>): void;
  /** Mautic's clock is a second on: its events are told to the second. */
  later(): void;
}

/** Both functions, one database and the emulated Mautic, which calls the webhook over HTTP. */
async function startLinked(): Promise<Linked> {
  let ahead = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  const sync = await startSync({ mautic: { clock } });
  const { handler } = webhook({ ...sync.env, MAUTIC_WEBHOOK_SECRET: secret });
  let look: (body: string) => Promise<void> = () => Promise.resolve();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      await look(body);
      return await handler(new Request(request.url, { method: "POST", body }));
    },
  );
  // As the original instructions say: the secret in the address, none entered in Mautic.
  sync.mautic.addWebhook({
    ownerId: 1,
    name: "Supabase",
    url: `http://127.0.0.1:${server.addr.port}/mautic-webhook?secret=${secret}`,
    triggers: [subscriptionChanged, "mautic.lead_post_save_new", "mautic.lead_post_save_update"],
  });
  return {
    sync,
    async statusOf(email) {
      const [row] = await sync.sql`select email_status from public.leads where email = ${email}`;
      return row?.["email_status"] ?? null;
    },
    before(next) {
      look = next;
    },
    later() {
      ahead += 1_000;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await sync[Symbol.asyncDispose]();
    },
  };
}

Deno.test("what people do in Mautic shows on the lead and in the activity log", async () => {
  await using linked = await startLinked();
  const { sync, statusOf } = linked;
  const { mautic, sql } = sync;
  const names = ["unsubscribes", "bounces", "complains", "staff"];
  for (const name of names) await insertLead(sql, `${name}@example.com`);
  await sync.drain();

  await mautic.unsubscribe("unsubscribes@example.com");
  await mautic.bounce("bounces@example.com");
  await mautic.complain("complains@example.com");
  await mautic.addDoNotContact("staff@example.com", { reason: 3, comments: "asked by phone" });
  const seen = () => Promise.all(names.map((name) => statusOf(`${name}@example.com`)));
  assert.deepEqual(await seen(), ["unsubscribed", "bounced", "complained", "unsubscribed"]);

  linked.later();
  for (const name of names) await mautic.resubscribe(`${name}@example.com`);
  assert.deepEqual(await seen(), ["subscribed", "subscribed", "complained", "subscribed"]);
  const told = await activities(sync);
  assert.deepEqual(told.map((row) => [row.type, row.detail["source"]]), [
    ["email_unsubscribed", "webhook"],
    ["email_bounced", "webhook"],
    ["email_complained", "webhook"],
    ["email_unsubscribed", "webhook"],
    ["email_resubscribed", "webhook"],
    ["email_resubscribed", "webhook"],
    ["email_resubscribed", "webhook"],
  ]);
  assert.ok(mautic.deliveries.every(({ status }) => status === 200));
});

Deno.test("an opt-out while our own create call is open ends right, and enrols nobody", async () => {
  await using linked = await startLinked();
  const { sync, statusOf, before } = linked;
  const email = "early@example.com";
  let opted = false;
  before(async (body) => {
    if (opted || !body.includes("lead_post_save_new")) return;
    opted = true;
    // Mautic has not answered our call yet.
    assert.equal((await sync.sql`select from mautic.contact_link`).length, 0);
    await sync.mautic.unsubscribe(email);
  });
  await insertLead(sync.sql, email, {
    crm_status: "qualified",
    marketing_opt_in: true,
    ml_score: 95,
  });
  await sync.drain();
  assert.equal(opted, true);
  assert.equal(await statusOf(email), "unsubscribed");
  assert.equal((await sync.sql`select from mautic.contact_link`).length, 1);
  assert.equal((await sync.sql`select from mautic.enrollment`).length, 0);
  assert.ok(!sync.mautic.requests.some(({ path }) => path.includes("/campaigns/")));
  assert.equal((await activities(sync)).length, 1);
});

Deno.test("our own do-not-contact entry comes back and changes nothing", async () => {
  await using linked = await startLinked();
  const { sync, statusOf } = linked;
  await insertLead(sync.sql, "denied@example.com", { marketing_opt_in: false });
  await sync.drain();
  const told = sync.mautic.deliveries.filter(({ body }) => body.includes(consentComment));
  assert.ok(told.length > 0 && told.every(({ status }) => status === 200));
  assert.equal(await statusOf("denied@example.com"), null);
  assert.equal((await sync.sql`select from mautic.webhook_event`).length, 0);
  assert.equal((await sync.sql`select from mautic.lead_change`).length, 0);
});
