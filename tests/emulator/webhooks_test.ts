import assert from "node:assert/strict";
import { signHook } from "../../local/mautic/hook_delivery.ts";
import { isObject, phpJson } from "../../local/mautic/php.ts";
import type { Json } from "../../local/mautic/types.ts";
import { at, startWithCaller } from "./caller.ts";

const NEW = "mautic.lead_post_save_new";
const UPDATE = "mautic.lead_post_save_update";
const CHANNEL = "mautic.lead_channel_subscription_changed";
const DELETE = "mautic.lead_post_delete";

interface Received {
  body: string;
  signature: string | null;
}

/** A receiver on loopback that answers `status` and, while `gate` is set, waits for it. */
function startReceiver(status = 200) {
  const received: Received[] = [];
  const arrived = Promise.withResolvers<void>();
  const state = { status, gate: Promise.resolve() };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const signature = request.headers.get("webhook-signature");
      received.push({ body: await request.text(), signature });
      arrived.resolve();
      await state.gate;
      return new Response(null, { status: state.status });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    received,
    state,
    arrived: arrived.promise,
    events: () => received.map(({ body }) => Object.keys(JSON.parse(body)).join("+")),
    first: (): Json => JSON.parse(received[0]?.body ?? "null"),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("a webhook is sent before the API call that caused it is answered", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller();
  run.mautic.addWebhook({ url: receiver.url, triggers: [NEW] });
  const gate = Promise.withResolvers<void>();
  receiver.state.gate = gate.promise;
  let isAnswered = false;
  const asking = run.ask("POST", "/api/contacts/new", { email: "a@example.test" })
    .then(() => isAnswered = true);
  await receiver.arrived;
  assert.equal(isAnswered, false);
  gate.resolve();
  await asking;
});

Deno.test("a webhook is signed over its raw body, in PHP's JSON", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller();
  const hook = run.mautic.addWebhook({ url: receiver.url, triggers: [NEW], secret: "s3" });
  assert.equal(hook.secret, "s3");
  const firstname = "Zoë/ü 😀";
  await run.ask("POST", "/api/contacts/new", { email: "a@example.test", firstname });
  const [delivery] = receiver.received;
  assert.ok(delivery);
  assert.equal(delivery.signature, signHook(delivery.body, "s3"));
  assert.match(delivery.body, /Zo\\u00eb\\\/\\u00fc \\ud83d\\ude00/);
  const parsed: Json = JSON.parse(delivery.body);
  assert.equal(phpJson(parsed), delivery.body);
  assert.equal(at(parsed, NEW, 0, "contact", "fields", "core", "firstname", "value"), firstname);
});

Deno.test("a hook without a secret is given one of 64 characters", async () => {
  await using run = await startWithCaller();
  const hook = run.mautic.addWebhook({ url: "http://127.0.0.1:9/", triggers: [NEW] });
  assert.match(hook.secret, /^[0-9a-f]{64}$/);
});

for (
  const { status, ownerId, answer } of [
    { status: 500, ownerId: 1, answer: 201 },
    { status: 500, ownerId: null, answer: 500 },
    { status: 302, ownerId: null, answer: 500 },
    { status: 410, ownerId: null, answer: 201 },
  ]
) {
  const owner = ownerId === null ? "without an owner" : "of a person";
  Deno.test(`a receiver's first ${status} switches off a hook ${owner}; the API answers ${answer}`, async () => {
    await using receiver = startReceiver(status);
    await using run = await startWithCaller();
    const hook = run.mautic.addWebhook({ url: receiver.url, triggers: [NEW], ownerId });
    const answered = await run.ask("POST", "/api/contacts/new", { email: "a@example.test" });
    assert.equal(answered.status, answer);
    assert.equal(run.mautic.contacts.size, 1);
    assert.equal(hook.isPublished, false);
    await run.ask("POST", "/api/contacts/new", { email: "b@example.test" });
    assert.equal(receiver.received.length, 1);
  });
}

Deno.test("one success among the last hundred deliveries keeps a hook alive, and so does an edit", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller();
  const hook = run.mautic.addWebhook({ url: receiver.url, triggers: [NEW] });
  await run.ask("POST", "/api/contacts/new", { email: "a@example.test" });
  receiver.state.status = 500;
  await run.ask("POST", "/api/contacts/new", { email: "b@example.test" });
  assert.equal(hook.isPublished, true);
  const edited = run.mautic.addWebhook({ url: receiver.url, triggers: [NEW] });
  await run.ask("PATCH", `/api/hooks/${edited.id}/edit`, { name: "edited" });
  await run.ask("POST", "/api/contacts/new", { email: "c@example.test" });
  assert.equal(edited.isPublished, true);
});

Deno.test("a refused connection loses the event and leaves the hook published", async () => {
  await using run = await startWithCaller();
  const closed = startReceiver();
  await closed[Symbol.asyncDispose]();
  const hook = run.mautic.addWebhook({ url: closed.url, triggers: [NEW], ownerId: null });
  const answer = await run.ask("POST", "/api/contacts/new", { email: "a@example.test" });
  assert.equal(answer.status, 201);
  assert.equal(hook.isPublished, true);
  assert.equal(run.mautic.deliveries[0]?.status, null);
});

Deno.test("in queue mode flushHookQueue() sends ten events a POST and loses those answered 500", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller({ settings: { webhookMode: "queue" } });
  run.mautic.addWebhook({ url: receiver.url, triggers: [NEW] });
  const items = Array.from({ length: 12 }, (_, index) => ({ email: `q${index}@example.test` }));
  await run.ask("POST", "/api/contacts/batch/new", items);
  assert.equal(receiver.received.length, 0);
  assert.equal(await run.mautic.flushHookQueue(), 2);
  const counts = receiver.received.map(({ body }) => {
    const list = at(JSON.parse(body), NEW);
    return Array.isArray(list) ? list.length : 0;
  });
  assert.deepEqual(counts, [10, 2]);
  receiver.state.status = 500;
  await run.ask("POST", "/api/contacts/new", { email: "lost@example.test" });
  assert.equal(await run.mautic.flushHookQueue(), 1);
  receiver.state.status = 200;
  assert.equal(await run.mautic.flushHookQueue(), 0);
});

Deno.test("what people do reaches the hooks: unsubscribe, resubscribe, bounce, complaint", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller();
  const email = "a@example.test";
  await run.ask("POST", "/api/contacts/new", { email });
  run.mautic.addWebhook({ url: receiver.url, triggers: [CHANNEL] });
  await run.mautic.unsubscribe(email);
  await run.mautic.resubscribe(email);
  await run.mautic.bounce(email, "550 no such user");
  await run.mautic.resubscribe(email);
  await run.mautic.complain(email);
  const told = receiver.received.map(({ body }) => {
    const item = at(JSON.parse(body), CHANNEL, 0);
    const comments = at(item, "contact", "doNotContact", 0, "comments") ?? null;
    return isObject(item) ? [item.old_status, item.new_status, comments] : [];
  });
  assert.deepEqual(told, [
    ["contactable", "unsubscribed", "User unsubscribed."],
    ["unsubscribed", "contactable", null],
    ["contactable", "bounced", "550 no such user"],
    ["bounced", "contactable", null],
    ["contactable", "unsubscribed", "Marked as spam"],
  ]);
});

Deno.test("a batch/edit item that changes nothing still fires where the contact has points", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/batch/new", [
    { email: "a@example.test", points: 5, firstname: "A" },
    { email: "b@example.test", firstname: "B" },
  ]);
  run.mautic.addWebhook({ url: receiver.url, triggers: [UPDATE, "mautic.lead_points_change"] });
  await run.ask("PATCH", "/api/contacts/batch/edit", [{ id: 1, firstname: "A" }]);
  await run.ask("PATCH", "/api/contacts/batch/edit", [{ id: 2, firstname: "B" }]);
  await run.ask("PATCH", "/api/contacts/1/edit", { firstname: "A" });
  assert.deepEqual(receiver.events(), ["mautic.lead_points_change", UPDATE]);
});

Deno.test("a merge tells of the winner's change and the loser's deletion", async () => {
  await using receiver = startReceiver();
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/batch/new", [
    { email: "a@example.test" },
    { email: "b@example.test" },
  ]);
  run.mautic.addWebhook({ url: receiver.url, triggers: [UPDATE, DELETE] });
  await run.mautic.mergeContacts(1, 2);
  assert.deepEqual(receiver.events(), [UPDATE, DELETE]);
  const gone: Json = JSON.parse(receiver.received[1]?.body ?? "null");
  assert.deepEqual([at(gone, DELETE, 0, "id"), at(gone, DELETE, 0, "contact", "id")], [1, null]);
});
