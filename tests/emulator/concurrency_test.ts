import assert from "node:assert/strict";
import { realisticLatency } from "../../local/mautic/load.ts";
import { createMauticServer } from "../../local/mautic/server.ts";
import { callerOf, startWithCaller } from "./caller.ts";
import { createVirtualClock } from "./virtual_clock.ts";

const email = "Twin@example.test";

Deno.test("saves of one new address that meet create duplicates, and every later save answers 422", async () => {
  await using run = await startWithCaller();
  run.mautic.holdSaves(3);
  const answers = await Promise.all(
    [1, 2, 3].map((number) =>
      run.ask("POST", "/api/contacts/new", { email, firstname: `T${number}` })
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201]);
  assert.deepEqual(run.mautic.duplicateEmails(), ["twin@example.test"]);
  assert.equal(run.mautic.contactsCreated(), 3);
  const later = [
    await run.ask("POST", "/api/contacts/new", { email }),
    await run.ask("PATCH", "/api/contacts/1/edit", { lastname: "x" }),
    await run.ask("PUT", "/api/contacts/2/edit", { email }),
  ];
  assert.deepEqual(later.map(({ status }) => status), [422, 422, 422]);
});

Deno.test("a batch and a single save of one address that meet create a duplicate", async () => {
  await using run = await startWithCaller();
  run.mautic.holdSaves(2);
  await Promise.all([
    run.ask("POST", "/api/contacts/batch/new", [{ email }]),
    run.ask("POST", "/api/contacts/new", { email }),
  ]);
  assert.equal(run.mautic.duplicateEmails().length, 1);
});

Deno.test("overlappingWrites() reports two writes for one person, by address and by id", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email });
  assert.deepEqual(run.mautic.overlappingWrites(), []);
  run.mautic.holdSaves(2);
  await Promise.all([
    run.ask("PATCH", "/api/contacts/batch/edit", [{ id: 1, firstname: "a" }]),
    run.ask("POST", "/api/contacts/new", { email: email.toUpperCase(), firstname: "b" }),
  ]);
  const persons = run.mautic.overlappingWrites().map(({ person }) => person);
  assert.deepEqual(persons, ["email:twin@example.test"]);
});

Deno.test("overlappingWrites() says nothing of different people or of reads", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email });
  run.mautic.holdSaves(2);
  await Promise.all([
    run.ask("PATCH", "/api/contacts/1/edit", { firstname: "a" }),
    run.ask("GET", "/api/contacts/1"),
    run.ask("POST", "/api/contacts/new", { email: "other@example.test" }),
  ]);
  assert.deepEqual(run.mautic.overlappingWrites(), []);
  assert.ok(run.mautic.maximumInFlight() >= 2);
});

/** Contacts per second of `workers` that save in batches of `size` (1: singly). */
async function throughput(size: number, workers: number): Promise<number> {
  const clock = createVirtualClock();
  const server = createMauticServer({
    clock,
    random: () => 0.5,
    deliver: () => Promise.resolve({ status: 200 }),
    turn: () => Promise.resolve(),
    latency: realisticLatency(),
  });
  const target = { url: "http://mautic.test", ...pick(server) };
  return await clock.run(async () => {
    const ask = await callerOf(target, (url, init) => server.handle(new Request(url, init)));
    const start = clock.now();
    let saved = 0;
    await Promise.all(Array.from({ length: workers }, async (_, worker) => {
      for (let round = 0; round < 2; round++) {
        const items = Array.from({ length: size }, (_, index) => ({
          email: `w${worker}-${round}-${index}@example.test`,
        }));
        if (size === 1) await ask("POST", "/api/contacts/new", items[0]);
        else await ask("POST", "/api/contacts/batch/new", items);
        saved += size;
      }
    }));
    return saved / ((clock.now() - start) / 1000);
  });
}

function pick({ clientId, clientSecret }: { clientId: string; clientSecret: string }) {
  return { clientId, clientSecret };
}

const measured = [
  { size: 1, workers: 1, from: 13, to: 15 },
  { size: 1, workers: 2, from: 24, to: 29 },
  { size: 1, workers: 8, from: 24, to: 30 },
  { size: 50, workers: 1, from: 40, to: 55 },
  { size: 50, workers: 2, from: 85, to: 100 },
  { size: 50, workers: 4, from: 90, to: 104 },
];

for (const { size, workers, from, to } of measured) {
  Deno.test(`realisticLatency() saves ${from} to ${to} contacts a second: ${workers} at once, ${size} a request`, async () => {
    const rate = await throughput(size, workers);
    assert.ok(rate >= from && rate <= to, `${rate.toFixed(1)} contacts per second`);
  });
}
