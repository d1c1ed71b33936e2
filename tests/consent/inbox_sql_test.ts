import assert from "node:assert/strict";
import fc from "fast-check";
import { consentComment } from "shared/consent/entry.ts";
import { insertLead } from "../support/leads.ts";
import {
  activities,
  bodyOf,
  change,
  outcomes,
  startWebhook,
  statuses,
  subscriptionChanged,
  time,
} from "./support.ts";

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
