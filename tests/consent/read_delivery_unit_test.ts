import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { consentComment } from "shared/consent/entry.ts";
import { kindOfEntry } from "shared/consent/entry.ts";
import {
  decidesEmailStatus,
  readDelivery,
  type SubscriptionEvent,
} from "shared/consent/read_delivery.ts";
import { readFixture, recordedDeliveries, subscriptionChanged } from "./support.ts";

function eventsOf(body: unknown): SubscriptionEvent[] {
  return readDelivery(body).items.flatMap((item) => item.ok ? [item.event] : []);
}
function only(body: unknown): SubscriptionEvent {
  const [event, ...more] = eventsOf(body);
  assert.ok(event && more.length === 0);
  return event;
}
function item(fields: object) {
  return { [subscriptionChanged]: [{ channel: "email", new_status: "unsubscribed", ...fields }] };
}

const table = z.array(z.tuple([
  z.string(),
  z.number(),
  z.array(
    z.tuple([
      z.string(),
      z.string(),
      z.number(),
      z.string().nullable(),
      z.string(),
      z.string().nullable(),
    ]),
  ),
]));

Deno.test("every recorded delivery gives the events listed for it", async (t) => {
  const expected = table.parse(JSON.parse(await readFixture("expected_events.json")));
  const recorded = await recordedDeliveries();
  assert.equal(recorded.length, expected.length);
  for (const [index, [name, ignored, events]] of expected.entries()) {
    const delivery = recorded[index]!;
    assert.equal(`${delivery.case} ${delivery.index}`, name);
    await t.step(name, () => {
      const reading = readDelivery(JSON.parse(delivery.body));
      assert.deepEqual([reading.isTest, reading.ignored, reading.unknown], [false, ignored, 0]);
      assert.deepEqual(
        reading.items.map((each) => {
          assert.ok(each.ok);
          const { channel, kind, contactId, address, occurredAt, detail } = each.event;
          return [channel, kind, contactId, address, occurredAt, detail.comments ?? null];
        }),
        events,
      );
    });
  }
});

Deno.test("bodies written from Mautic's serialisers give their events", async (t) => {
  const expected: [string, string, string, number | null][] = [
    ["unsubscribed", "unsubscribed", "ana.ferreira@example.com", 12],
    ["bounced", "bounced", "ben.okafor@example.com", 12],
    ["contactable", "subscribed", "ana.ferreira@example.com", null],
    ["manual", "manual", "ana.ferreira@example.com", null],
    ["spam-complaint", "complained", "cleo.marsh@example.com", 12],
  ];
  for (const [name, kind, address, emailId] of expected) {
    await t.step(name, async () => {
      const event = only(
        JSON.parse(await readFixture(`webhook-channel-subscription-${name}.json`)),
      );
      assert.deepEqual(
        [event.kind, event.address, event.detail.email_id ?? null],
        [kind, address, emailId],
      );
      assert.equal(decidesEmailStatus(event), true);
    });
  }
  await t.step("another channel does not decide", async () => {
    const event = only(JSON.parse(await readFixture("webhook-channel-subscription-sms.json")));
    assert.equal(event.channel, "sms");
    assert.equal(decidesEmailStatus(event), false);
  });
  await t.step("several types in one body", async () => {
    const reading = readDelivery(JSON.parse(await readFixture("webhook-batched.json")));
    assert.deepEqual([reading.items.length, reading.ignored, reading.unknown], [2, 3, 0]);
  });
  await t.step("the test button is told by its top-level timestamp", async () => {
    const reading = readDelivery(JSON.parse(await readFixture("webhook-test-button.json")));
    assert.deepEqual([reading.isTest, reading.ignored, reading.unknown], [true, 2, 0]);
  });
});

Deno.test("the shape of the original integration is read", () => {
  const event = only({
    "mautic.lead_channel_subscription_changed": [{
      lead: { id: 123, email: "john@example.com" },
      channel: "email",
      old_status: "subscribed",
      new_status: "unsubscribed",
    }],
  });
  assert.deepEqual(event, {
    kind: "unsubscribed",
    type: "unsubscribe",
    channel: "email",
    contactId: 123,
    address: "john@example.com",
    occurredAt: null,
    ours: false,
    detail: {},
  });
});

Deno.test("ids and addresses are found wherever Mautic puts them", async (t) => {
  const value = { value: " Ann@Example.test " };
  const cases: [string, object, number | null, string | null][] = [
    ["id as text", { contact: { id: "7", fields: [] } }, 7, null],
    ["empty groups as lists", { contact: { id: 7, fields: { core: [], social: [] } } }, 7, null],
    [
      "another group",
      { contact: { fields: { core: [], own: { email: value } } } },
      null,
      "Ann@Example.test",
    ],
    ["fields.all", { lead: { id: 1, fields: { all: { email: "a@b.test" } } } }, 1, "a@b.test"],
    ["fields without groups", { lead: { fields: { email: value } } }, null, "Ann@Example.test"],
    ["beside the item", { email: "a@b.test" }, null, "a@b.test"],
    ["a mail's statistics", { stat: { emailAddress: "a@b.test", lead: { id: 4 } } }, 4, "a@b.test"],
    ["an e-mail object is no address", { contact: { id: 3 }, email: { id: 4 } }, 3, null],
    ["id 0 is none", { contact: { id: 0, email: "a@b.test" } }, null, "a@b.test"],
  ];
  for (const [name, fields, contactId, address] of cases) {
    await t.step(name, () => {
      const event = only(item(fields));
      assert.deepEqual([event.contactId, event.address], [contactId, address]);
    });
  }
});

Deno.test("items may come bare, as an object with numbers for keys, and under the bounce alias", () => {
  const change = { lead: { id: 1 }, channel: "email", new_status: "bounced" };
  assert.equal(only({ [subscriptionChanged]: change }).kind, "bounced");
  assert.equal(eventsOf({ [subscriptionChanged]: { 1: change, 3: change } }).length, 2);
  const alias = only({ "mautic.email_on_bounce": [{ lead: { id: 1, email: "a@b.test" } }] });
  assert.deepEqual([alias.kind, alias.type, alias.channel], ["bounced", "bounce", "email"]);
});

Deno.test("old_status is not believed, new_status is", () => {
  assert.equal(only(item({ contact: { id: 1 }, old_status: "unsubscribed" })).kind, "unsubscribed");
});

Deno.test("a complaint is told by the comment of the channel's entry", async (t) => {
  const cases: [string, string, string][] = [
    ["unsubscribed", "Marked as spam", "complained"],
    ["unsubscribed", "User reported email as spam, source: hotmail", "complained"],
    ["unsubscribed", "Als Spam markiert", "complained"],
    ["unsubscribed", "Abuse complaint", "complained"],
    ["bounced", "Spam report", "complained"],
    ["manual", "complained by phone", "complained"],
    ["unsubscribed", "User unsubscribed.", "unsubscribed"],
    ["unsubscribed", "", "unsubscribed"],
    ["bounced", "Unknown user or server", "bounced"],
    ["bounced", "554 5.7.1 message looks like spam", "bounced"],
    ["bounced", "Rejected by anti-spam filter", "bounced"],
    ["bounced", "see https://example.test/abuse or mail abuse@example.test", "bounced"],
    ["contactable", "Marked as spam", "subscribed"],
  ];
  for (const [status, comments, kind] of cases) {
    await t.step(`${status}: ${comments}`, () => {
      const entry = { channel: "email", comments, reason: 1 };
      const event = only(item({ new_status: status, contact: { id: 1, doNotContact: [entry] } }));
      assert.equal(event.kind, kind);
    });
  }
  await t.step("the entry of another channel says nothing", () => {
    const doNotContact = [{ channel: "sms", comments: "spam", reason: 1 }];
    assert.equal(only(item({ contact: { id: 1, doNotContact } })).kind, "unsubscribed");
  });
});

Deno.test("only a manual entry that bears our mark is ours", () => {
  const marked = (status: string) =>
    only(item({
      new_status: status,
      contact: { id: 1, doNotContact: [{ channel: "email", comments: consentComment, reason: 3 }] },
    }));
  assert.equal(decidesEmailStatus(marked("manual")), false);
  assert.equal(decidesEmailStatus(marked("unsubscribed")), true);
  assert.equal(decidesEmailStatus(marked("contactable")), true);
  const entry = { channel: "email", reason: 3, comments: consentComment };
  assert.equal(kindOfEntry(entry), null);
  assert.deepEqual(
    [0, 1, 2, 3, 9].map((reason) => kindOfEntry({ channel: "email", reason, comments: null })),
    ["subscribed", "unsubscribed", "bounced", "manual", "unsubscribed"],
  );
});

Deno.test("times are read with their offset and refused where they are none", async (t) => {
  const cases: [unknown, string | null][] = [
    ["2026-03-06T07:12:00+00:00", "2026-03-06T07:12:00.000Z"],
    ["2026-03-06T09:12:00+02:00", "2026-03-06T07:12:00.000Z"],
    ["2026-03-06T07:12:00Z", "2026-03-06T07:12:00.000Z"],
    ["2026-03-06 07:12:00", "2026-03-06T07:12:00.000Z"],
    ["yesterday", null],
    ["0000-00-00T00:00:00+00:00", null],
    ["+275760-09-13T00:00:00Z", null],
    [1767225600, null],
    [null, null],
  ];
  for (const [timestamp, expected] of cases) {
    await t.step(String(timestamp), () => {
      assert.equal(only(item({ contact: { id: 1 }, timestamp })).occurredAt, expected);
    });
  }
});

Deno.test("an item that cannot be read is rejected with its reason, the others stay", () => {
  const good = { lead: { id: 1 }, channel: "email", new_status: "manual" };
  const reading = readDelivery({
    [subscriptionChanged]: [7, {}, { ...good, new_status: "x" }, { ...good, lead: {} }, good],
    "mautic.lead_post_save_update": [{}, {}],
    "mautic.from_a_plugin": [{}],
    note: "text",
  });
  assert.deepEqual(
    reading.items.map((each) => each.ok || each.rejection.reason),
    ["not_an_object", "no_channel", "unknown_status", "no_person", true],
  );
  assert.deepEqual([reading.ignored, reading.unknown], [2, 2]);
});

Deno.test("any JSON gives a reading that Postgres can store", () => {
  const words = fc.constantFrom(
    subscriptionChanged,
    "mautic.email_on_bounce",
    "contact",
    "lead",
    "stat",
    "fields",
    "core",
    "email",
    "id",
    "channel",
    "new_status",
    "timestamp",
    "doNotContact",
    "comments",
    "value",
    "bounced",
    "a@b.test\u0000",
    "\ud800@x",
    "2026-01-01T00:00:00Z",
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 7 },
      words,
      fc.jsonValue(),
      fc.array(tie("json"), { maxLength: 4 }),
      fc.dictionary(fc.oneof(words, fc.string({ unit: "binary" })), tie("json"), { maxKeys: 6 }),
    ),
  }));
  fc.assert(fc.property(json, (body) => {
    const reading = readDelivery(body);
    for (const event of reading.items.flatMap((each) => each.ok ? [each.event] : [])) {
      const stored = JSON.stringify([event.address, event.detail.comments]);
      assert.ok(!stored.includes("\\u0000") && !/\\ud[89a-f]/i.test(stored));
      assert.ok(event.contactId !== null || event.address !== null);
      assert.ok(event.occurredAt === null || /^20\d\d-/.test(event.occurredAt));
    }
  }));
});
