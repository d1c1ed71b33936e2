/** The emulator against the recordings of a real Mautic 5.1.1, case by case. */
import assert from "node:assert/strict";
import { signHook } from "../../local/mautic/hook_delivery.ts";
import { isObject } from "../../local/mautic/php.ts";
import type { Json } from "../../local/mautic/types.ts";
import { readRecording, recordedNames, type Recording } from "./recording.ts";
import { NOT_COVERED } from "./not_covered.ts";
import { FRESH, SEQUENCE } from "./recorded_sequence.ts";
import {
  answerDifferences,
  createWorld,
  deliveryDifferences,
  type World,
} from "./recorded_world.ts";

/** How many exchanges were recorded. */
const RECORDED = 303;

const covered = [
  ...SEQUENCE.filter((step) => typeof step === "string"),
  ...FRESH.map(({ name }) => name),
];

Deno.test("every recorded case is either covered or left out for a reason", async () => {
  assert.deepEqual(covered.toSorted(), await recordedNames());
  assert.equal(new Set(covered).size, covered.length);
  const names = new Set([...covered, ...Object.keys(NOT_COVERED)]);
  assert.equal(names.size, covered.length + Object.keys(NOT_COVERED).length);
  assert.equal(names.size, RECORDED);
});

Deno.test("the emulator answers as the recorded server did", async (test) => {
  const world = createWorld();
  for (const step of SEQUENCE) {
    if (typeof step === "function") {
      await step(world);
      world.takeDeliveries();
      continue;
    }
    const recording = await readRecording(step);
    await test.step(step, async () => assert.deepEqual(await check(world, recording), []));
  }
});

for (const { name, arrange } of FRESH) {
  Deno.test(`the emulator answers as the recorded server did: ${name}`, async () => {
    const world = createWorld();
    await arrange(world);
    world.takeDeliveries();
    assert.deepEqual(await check(world, await readRecording(name)), []);
  });
}

Deno.test("signHook() signs as the recorded webhooks are signed", async () => {
  const secrets = new Map<string, string>();
  let checked = 0;
  for (const name of covered) {
    const { response, webhook_deliveries } = await readRecording(name);
    const hook = isObject(response?.body) ? response.body.hook : null;
    if (isObject(hook) && hook.id !== null) secrets.set(String(hook.id), String(hook.secret));
    for (const { body_raw, headers, signature_checks } of webhook_deliveries) {
      const signature = new Map(headers).get("Webhook-Signature");
      for (const [id, isSigner] of Object.entries(signature_checks ?? {})) {
        const secret = secrets.get(id);
        if (secret === undefined) continue;
        assert.equal(signHook(body_raw, secret) === signature, isSigner, `${name}, hook ${id}`);
        checked++;
      }
    }
  }
  assert.ok(checked > 400, `${checked} signatures were checked`);
});

/** The differences between the recorded exchange and the same one with the emulator. */
async function check(world: World, recording: Recording): Promise<string[]> {
  world.advance(1);
  const special = SPECIAL[recording.case];
  if (special) return await special(world, recording);
  const { response, body } = await world.play(recording);
  return [
    ...answerDifferences(recording, response, body),
    ...deliveryDifferences(recording.webhook_deliveries, world.takeDeliveries()),
  ];
}

type Check = (world: World, recording: Recording) => Promise<string[]>;

/** Cases that are no single request, or that were shortened. */
const SPECIAL: Record<string, Check> = {
  "batch-new-200": async (world, recording) => {
    const items = Array.from({ length: 200 }, (_, index) => ({
      email: `bulk${index}@example.test`,
      firstname: `N${index}`,
    }));
    const { response, body } = await world.play(recording, items);
    assert.equal(world.server.contactsCreated(), 218);
    return [
      ...answerDifferences(recording, response, firstTwo(body)),
      ...deliveryDifferences(recording.webhook_deliveries, world.takeDeliveries().slice(0, 2)),
    ];
  },
  "batch-new-201": async (world, recording) => {
    const items = Array.from({ length: 201 }, (_, index) => ({ email: `x${index}@example.test` }));
    const { response, body } = await world.play(recording, items);
    return answerDifferences(recording, response, body);
  },
  "concurrent-new-same-email": (world) => race(world, "race1@example.test", 6, 6),
  "concurrent-new-same-email-2": (world) => race(world, "race2@example.test", 1, 4),
  "cli-webhooks-process": flushed,
  "cli-webhooks-process-500": flushed,
  "cli-webhooks-process-refused": flushed,
  "cli-webhooks-process-recovered": flushed,
  "email-unsubscribe-page": person((world) => world.server.unsubscribe("unsub@example.test")),
  "email-unsubscribe-page-again": person((world) => world.server.unsubscribe("unsub@example.test")),
  "email-resubscribe-page": person((world) => world.server.resubscribe("unsub@example.test")),
  "cli-contacts-deduplicate": async (world, recording) => {
    await world.server.mergeContacts(18, 256, "command");
    for (const loser of [226, 227, 228, 229, 230]) {
      await world.server.mergeContacts(loser, loser + 1, "command");
    }
    const deletions = world.takeDeliveries();
    // Three of the six deletions were kept in the recording.
    assert.equal(deletions.length, 6);
    return deliveryDifferences(recording.webhook_deliveries, deletions.slice(0, 3));
  },
};

async function flushed(world: World, recording: Recording): Promise<string[]> {
  await world.server.flushHookQueue();
  return deliveryDifferences(recording.webhook_deliveries, world.takeDeliveries());
}

function person(act: (world: World) => Promise<void>): Check {
  return async (world, recording) => {
    await act(world);
    return deliveryDifferences(recording.webhook_deliveries, world.takeDeliveries());
  };
}

/** Posts one new address `posts` times at once; `meet` of them look it up before any is saved. */
async function race(world: World, email: string, meet: number, posts: number): Promise<string[]> {
  if (meet > 1) world.server.holdSaves(meet);
  const sendings: Promise<Json>[] = [];
  for (let index = 0; index < posts; index++) {
    const body = { email, firstname: `T${[0, 3, 4, 1, 5, 2][index]}` };
    const sending = world.ask("POST", "/api/contacts/new", body);
    if (meet === 1) await sending;
    sendings.push(sending);
  }
  await Promise.all(sendings);
  world.takeDeliveries();
  const count = [...world.server.contacts.values()]
    .filter((contact) => contact.values.get("email") === email).length;
  return count === meet ? [] : [`${count} contacts have the address, ${meet} were recorded`];
}

/** A batch answer shortened as the recording is. */
function firstTwo(body: Json): Json {
  if (!isObject(body)) return body;
  return Object.fromEntries(
    Object.entries(body).map(([key, list]) => [key, Array.isArray(list) ? list.slice(0, 2) : list]),
  );
}
