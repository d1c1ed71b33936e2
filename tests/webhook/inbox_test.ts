import assert from "node:assert/strict";
import fc from "fast-check";
import { consentComment } from "../../shared/consent_decider.ts";
import { claim, insertLead, outbox, rings, startWorker } from "../database/support.ts";
import {
  activities,
  change,
  link,
  origin,
  startWebhook,
  statuses,
  subscriptionChanged,
  time,
  type Webhook,
} from "./support.ts";

type Change = Parameters<typeof change>[0];

function bodyOf(...changes: Change[]) {
  return { [subscriptionChanged]: changes.map(change) };
}
async function outcomes(inbox: Webhook, ...changes: Change[]): Promise<string[]> {
  const { status, answer } = await inbox.post(bodyOf(...changes));
  assert.equal(status, 200);
  return answer.data?.results.map(({ outcome }) => outcome) ?? [];
}

Deno.test("the newest event decides, by Mautic's clock; activity tells each change", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const lead = await insertLead(db.sql, " Ann@Example.test ");
  const email = "ann@example.test";
  const say = (status: string, at: number) => outcomes(inbox, { id: 5, email, status, at });
  const now = async () => Object.values(await statuses(db))[0];

  assert.deepEqual(await say("unsubscribed", 20), ["applied"]);
  assert.deepEqual(await say("bounced", 10), ["unchanged"]);
  assert.equal(await now(), "unsubscribed");
  assert.deepEqual(await say("contactable", 20), ["unchanged"]);
  assert.equal(await now(), "unsubscribed", "the more restrictive of one second");
  assert.deepEqual(await say("contactable", 30), ["applied"]);
  assert.equal(await now(), "subscribed");
  assert.deepEqual(await say("bounced", 40), ["applied"]);
  assert.deepEqual(await say("manual", 50), ["unchanged"]);
  assert.equal(await now(), "bounced", "manual never replaces bounced");
  await outcomes(inbox, {
    id: 5,
    email,
    status: "unsubscribed",
    at: 35,
    comments: "Marked as spam",
  });
  assert.equal(await now(), "complained");
  assert.deepEqual(await say("contactable", 99), ["unchanged"]);
  assert.equal(await now(), "complained", "a complaint is never lifted by an event");

  const told = await activities(db);
  assert.deepEqual(
    told.map((row) => [row.lead_id, row.type, row.detail["from"], row.detail["source"]]),
    [
      [lead, "email_unsubscribed", null, "webhook"],
      [lead, "email_resubscribed", "unsubscribed", "webhook"],
      [lead, "email_bounced", "subscribed", "webhook"],
      [lead, "email_complained", "bounced", "webhook"],
    ],
  );
  const { comments, email_id } = told[3]!.detail;
  assert.deepEqual([comments, email_id], ["Marked as spam", 3]);
});

Deno.test("any order and any duplication of the same events ends in the same status", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const event = fc.record({
    status: fc.constantFrom("contactable", "unsubscribed", "bounced", "manual", "complained"),
    at: fc.integer({ min: 1, max: 4 }),
  });
  let people = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 6 }).chain((events) =>
        fc.tuple(
          ...[1, 2, 3].map(() =>
            fc.shuffledSubarray([...events, ...events], {
              minLength: events.length * 2,
              maxLength: events.length * 2,
            })
          ),
        )
      ),
      async (orders) => {
        const ends = [];
        for (const [index, order] of orders.entries()) {
          const email = `p${++people}@example.test`;
          await insertLead(db.sql, email);
          const changes = order.map((each) => ({ email, ...each }));
          // Together, one by one, and split.
          const cut = [changes.length, 1, 3][index]!;
          for (let from = 0; from < changes.length; from += cut) {
            await outcomes(inbox, ...changes.slice(from, from + cut));
          }
          const [row] = await db.sql`
            select email_status, email_status_changed_at from public.leads where email = ${email}`;
          ends.push(JSON.stringify(row));
        }
        assert.equal(new Set(ends).size, 1, ends.join());
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("the same event again changes nothing, in the same body or another", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "a@example.test");
  const event = { id: 1, email: "a@example.test", status: "unsubscribed", at: 5 };
  assert.deepEqual(await outcomes(inbox, event, event), ["applied", "duplicate"]);
  assert.deepEqual(await outcomes(inbox, event), ["duplicate"]);
  assert.equal((await inbox.post(bodyOf(event))).answer.data?.duplicate, true);
  assert.equal((await activities(db)).length, 1);
  const [row] = await db.sql`select sum(times_received)::int as n, count(*)::int as kept
    from mautic.webhook_delivery`;
  assert.deepEqual({ ...row }, { n: 3, kept: 2 });
});

Deno.test("events without a time count at their receipt, each time they come", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "a@example.test");
  const email = "a@example.test";
  for (const status of ["unsubscribed", "contactable", "unsubscribed", "contactable"]) {
    assert.deepEqual(await outcomes(inbox, { email, status }), ["applied"]);
  }
  assert.deepEqual(await statuses(db), { [email]: "subscribed" });
  // A clock that is days ahead is not believed either.
  await inbox.post({
    [subscriptionChanged]: [{
      ...change({ email, status: "bounced" }),
      timestamp: "2090-01-01T00:00:00Z",
    }],
  });
  await outcomes(inbox, { email, status: "contactable" });
  assert.deepEqual(await statuses(db), { [email]: "subscribed" });
});

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

Deno.test("an event whose address becomes a lead's later is applied by the sweep", async () => {
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

Deno.test("a status written back queues nothing and rings nobody; mailable again does", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  const lead = await insertLead(db.sql, "a@example.test");
  await link(db, lead, 5, "a@example.test");
  await db.sql`delete from mautic.lead_change`;
  const before = await rings(db.sql);
  const say = (status: string, at: number) => outcomes(inbox, { id: 5, status, at });
  const changes = async () => (await db.sql`select lead_id from mautic.lead_change`).length;

  for (const [at, status] of ["contactable", "manual", "bounced", "unsubscribed"].entries()) {
    await say(status, at + 1);
    assert.equal(await changes(), 0, status);
  }
  assert.equal(await rings(db.sql), before);
  await say("contactable", 9);
  assert.equal(await changes(), 1);
});

Deno.test("our own do-not-contact entry coming back changes nothing", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "a@example.test");
  const echo = {
    id: 5,
    email: "a@example.test",
    status: "manual",
    at: 1,
    comments: consentComment,
  };
  assert.deepEqual(await outcomes(inbox, echo), ["ours"]);
  assert.deepEqual(await outcomes(inbox, { ...echo, comments: "by staff" }), ["applied"]);
  assert.deepEqual(await statuses(db), { "a@example.test": "unsubscribed" });
  const [told] = await activities(db);
  assert.equal(told?.detail["mautic_status"], "manual");
});

Deno.test("another channel does not touch email_status", async () => {
  await using inbox = await startWebhook();
  await insertLead(inbox.db.sql, "a@example.test");
  const event = { email: "a@example.test", status: "unsubscribed", at: 1, channel: "sms" };
  assert.deepEqual(await outcomes(inbox, event), ["other_channel"]);
  assert.deepEqual(await statuses(inbox.db), { "a@example.test": null });
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

Deno.test("a status the application wrote itself is the truth to go on from", async () => {
  await using inbox = await startWebhook();
  const { db } = inbox;
  await insertLead(db.sql, "a@example.test", { email_status: "bounced" });
  const say = (status: string, at: number) =>
    outcomes(inbox, { email: "a@example.test", status, at });
  const now = async () => (await statuses(db))["a@example.test"];
  await say("manual", 1);
  assert.equal(await now(), "bounced");
  await say("complained", 2);
  assert.equal(await now(), "complained");
  // An operator lifts the complaint.
  await db.sql`update public.leads set email_status = 'subscribed', email_status_changed_at = ${
    time(5)
  }`;
  await say("contactable", 6);
  assert.equal(await now(), "subscribed");
  await say("unsubscribed", 7);
  assert.equal(await now(), "unsubscribed");
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
    select mautic.intend_enrollment(${origin}, 1, 5, ${lead}, 'c') as answer`;
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
  // A delivery that met the lock of another is left to the sweep.
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
    explain (format json) select * from mautic.lead where address = any (array['a@x.test'])`;
  const shown = JSON.stringify(plan);
  assert.match(shown, /leads_by_address/);
  assert.doesNotMatch(shown, /Seq Scan/);
  const [row] = await db.sql`
    select count(*)::int as n from public.leads where email_status = 'unsubscribed'`;
  assert.equal(row?.n, 1000);
  assert.equal((await activities(db)).length, 1000);
});
