import assert from "node:assert/strict";
import { claim, insertLead, outbox, rings, startWorker } from "../support/leads.ts";
import {
  activities,
  bodyOf,
  link,
  origin,
  outcomes,
  startWebhook,
  statuses,
  time,
} from "./support.ts";

Deno.test("a status written back queues nothing and rings nobody; mailable again does", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const lead = await insertLead(db.sql, "a@example.test");
  await link(db, lead, 5, "a@example.test");
  await db.sql`delete from mautic.lead_change`;
  const before = await rings(db.sql);
  const say = (status: string, at: number) => outcomes(inbox, { id: 5, status, at });
  const changes = async () => (await db.sql`select lead_id from mautic.logged_lead`).length;

  for (const [at, status] of ["contactable", "manual", "bounced", "unsubscribed"].entries()) {
    await say(status, at + 1);
    assert.equal(await changes(), 0, status);
  }
  assert.equal(await rings(db.sql), before);
  await say("contactable", 9);
  assert.equal(await changes(), 1);
});

Deno.test("a locked lead neither loses nor holds up the delivery", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "locked@example.test");
  await insertLead(db.sql, "free@example.test");
  const events = ["locked", "free"].map((name, at) => ({
    email: `${name}@example.test`,
    status: "unsubscribed",
    at: at + 1,
  }));
  const session = await db.sql.reserve();
  try {
    await session`begin`;
    await session`select from public.leads where email = 'locked@example.test' for update`;
    const begun = performance.now();
    assert.deepEqual(await outcomes(inbox, ...events), ["deferred", "deferred"]);
    assert.ok(performance.now() - begun < 2_000);
    await db.sql`select mautic.apply_pending_deliveries()`;
    assert.deepEqual(await statuses(db), {
      "free@example.test": "unsubscribed",
      "locked@example.test": null,
    });
  } finally {
    await session`rollback`;
    session.release();
  }
  await db.sql`select mautic.apply_pending_deliveries()`;
  assert.equal((await statuses(db))["locked@example.test"], "unsubscribed");
  assert.equal((await activities(db)).length, 2);
});

Deno.test("a locked lead does not break the settle that links it", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const lead = await insertLead(db.sql, "a@example.test");
  await outcomes(inbox, { id: 5, status: "bounced", at: 1 });
  const session = await db.sql.reserve();
  try {
    await session`begin`;
    await session`select from public.leads for update`;
    await link(db, lead, 5, "a@example.test");
  } finally {
    await session`rollback`;
    session.release();
  }
  await db.sql`select mautic.apply_pending_deliveries()`;
  assert.deepEqual(await statuses(db), { "a@example.test": "bounced" });
});

Deno.test("a bad item blocks nobody, and a replay heals it", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "bad@example.test");
  await insertLead(db.sql, "good@example.test");
  // The application's own rule, which fails for one of them.
  await db.sql`alter table public.leads add constraint rule
    check (email <> 'bad@example.test' or email_status is null)`;
  const [bad, good] = ["bad", "good"].map((name) => ({
    email: `${name}@example.test`,
    status: "unsubscribed",
    at: 1,
  }));
  assert.deepEqual(await outcomes(inbox, bad!, good!), ["failed", "applied"]);
  await db.sql`select mautic.apply_pending_deliveries()`;
  await db.sql`alter table public.leads drop constraint rule`;
  const replay = async () => {
    const [row] = await db.sql`
      select mautic.replay_webhook((select min(id) from mautic.webhook_delivery)) as done`;
    return { changed: row?.done.changed_leads, events: row?.done.events };
  };
  assert.deepEqual(await replay(), { changed: 1, events: { applied: 2 } });
  assert.deepEqual(await replay(), { changed: 0, events: { applied: 2 } });
  assert.equal((await statuses(db))["bad@example.test"], "unsubscribed");
  assert.equal((await activities(db)).length, 2);
  const [unknown] = await db.sql`select mautic.replay_webhook(999) ->> 'state' as state`;
  assert.equal(unknown?.state, "unknown");
});

Deno.test("one that opts out between claim and enrolment is not enrolled", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const lead = await insertLead(db.sql, "a@example.test", { marketing_opt_in: true });
  const worker = await startWorker(db.sql);
  const claimed = await claim(db.sql, worker, { at: origin });
  assert.equal(claimed.items[0]?.email_status, null);
  await outcomes(inbox, { id: 5, email: "a@example.test", status: "unsubscribed", at: 1 });
  const [answer] = await db.sql`
    select mautic.intend_enrollment(${origin}, 1, 5, ${lead}, 'c', 1000) as answer`;
  assert.equal(answer?.answer, "not_mailable");
  assert.equal((await outbox(db.sql))[0]?.state, "leased");
});

Deno.test("old deliveries are purged with their bodies, what is still to do and activity stay", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "a@example.test");
  await insertLead(db.sql, "bad@example.test");
  await db.sql`alter table public.leads add constraint rule
    check (email <> 'bad@example.test' or email_status is null)`;
  const say = (email: string) => outcomes(inbox, { email, status: "unsubscribed", at: 1 });
  await say("a@example.test");
  await say("bad@example.test");
  await say("nobody@example.test");
  const purge = async () => (await db.sql`select mautic.purge_webhooks() as n`)[0]?.n;
  assert.equal(await purge(), 0);
  await db.sql`update mautic.webhook_delivery set last_received_at = now() - interval '31 days'`;
  await db.sql`update mautic.webhook_event set applied_at = now() - interval '31 days'
    where state = 'applied'`;
  assert.equal(await purge(), 2);
  const left = await db.sql`select address, state from mautic.webhook_event order by address`;
  assert.deepEqual(left.map((row) => [row.address, row.state]), [
    ["bad@example.test", "failed"],
    ["nobody@example.test", "pending"],
  ]);
  assert.equal((await activities(db)).length, 1);
  await insertLead(db.sql, "nobody@example.test");
  await db.sql`select mautic.apply_pending_events()`;
  assert.equal((await statuses(db))["nobody@example.test"], "unsubscribed");
});

Deno.test("deliveries about one person at the same time end right", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "a@example.test");
  const kinds = ["contactable", "unsubscribed", "bounced", "contactable", "manual", "unsubscribed"];
  await Promise.all(
    kinds.map((status, at) => outcomes(inbox, { id: 1, email: "a@example.test", status, at })),
  );
  // A delivery that met the lock of another is left to cron's next run.
  await db.sql`select mautic.apply_pending_deliveries()`;
  assert.deepEqual(await statuses(db), { "a@example.test": "unsubscribed" });
  const [row] = await db.sql`select email_status_changed_at as at from public.leads`;
  assert.equal(row?.at.toISOString(), time(5));
});

Deno.test("1,000 events are applied in one call, by indexes alone", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await db.sql`insert into public.leads (email)
    select 'p' || n || '@example.test' from generate_series(1, 20000) n`;
  await db.sql`select mautic.fold(2147483647)`;
  await db.admin`analyze public.leads`;
  const events = Array.from({ length: 1000 }, (_, n) => ({
    id: n + 1,
    email: `p${n + 1}@example.test`,
    status: "unsubscribed",
    at: n,
  }));
  const { answer } = await inbox.post(bodyOf(...events));
  assert.deepEqual([answer.data?.eventsProcessed, answer.data?.eventsFailed], [1000, 0]);
  const [plan] = await db.sql`
    explain (format json) select * from mautic.lead_state where address = any (array['a@x.test'])`;
  const shown = JSON.stringify(plan);
  assert.match(shown, /lead_state_by_address/);
  assert.doesNotMatch(shown, /Seq Scan/);
  const [row] = await db.sql`
    select count(*)::int as n from public.leads where email_status = 'unsubscribed'`;
  assert.equal(row?.n, 1000);
  assert.equal((await activities(db)).length, 1000);
});
