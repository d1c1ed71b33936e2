import assert from "node:assert/strict";
import { realisticLatency } from "../../local/mautic/load.ts";
import { systemClock } from "shared/runtime/clock.ts";
import { type Ask, startWithCaller } from "./caller.ts";
import { createRequestClock } from "./request_clock.ts";

/** One way of saving contacts, as an integration would. */
interface Way {
  name: string;
  /** Contacts it saves at a time. */
  size: number;
  save(ask: Ask, emails: string[]): Promise<void>;
}

const single: Way = {
  name: "POST /contacts/new",
  size: 1,
  save: async (ask, [email = ""]) => {
    assert.equal((await ask("POST", "/api/contacts/new", { email })).status, 201);
  },
};

const searchFirst: Way = {
  name: "search, then POST /contacts/new",
  size: 1,
  save: async (ask, emails) => {
    await ask("GET", `/api/contacts?search=email:${emails[0]}`);
    await single.save(ask, emails);
  },
};

function batch(size: number): Way {
  return {
    name: `batch/new of ${size}`,
    size,
    save: async (ask, emails) => {
      const items = emails.map((email) => ({ email }));
      assert.equal((await ask("POST", "/api/contacts/batch/new", items)).status, 201);
    },
  };
}

const campaignAdd: Way = {
  name: "campaign add",
  size: 1,
  save: async (ask) => {
    await ask("POST", "/api/campaigns/1/contact/1/add");
  },
};

/** Milliseconds of the emulator's time for `rounds` rounds of `concurrency` callers of one way. */
async function measure(way: Way, concurrency: number, rounds: number): Promise<number> {
  const clock = createRequestClock();
  await using run = await startWithCaller({ clock, latency: null });
  await run.ask("POST", "/api/contacts/new", { email: "first@example.test" });
  run.mautic.setLatency(realisticLatency());
  const callers = Array.from({ length: concurrency }, (_, caller) => async () => {
    for (let round = 0; round < rounds; round++) {
      const emails = Array.from(
        { length: way.size },
        (_, index) => `c${caller}r${round}i${index}@example.test`,
      );
      await way.save(run.ask, emails);
    }
  });
  clock.rest(60_000);
  const from = clock.now();
  await clock.run(callers, run.mautic.inFlight);
  return clock.now() - from;
}

/** `measured` is what the real server did, or the lowest and the highest of several times. */
type Measured = number | [lowest: number, highest: number];

function assertWithin20Percent(actual: number, measured: Measured): void {
  const [lowest, highest] = typeof measured === "number" ? [measured, measured] : measured;
  assert.ok(
    actual >= lowest * 0.8 && actual <= highest * 1.2,
    `${actual.toFixed(1)} is more than 20 % from ${lowest} to ${highest}`,
  );
}

/** Milliseconds a contact, on a server that had been idle. */
const rested: [Way, concurrency: number, Measured][] = [
  [searchFirst, 1, 90],
  [single, 1, 70],
  [batch(10), 1, 20],
  [batch(50), 1, 18],
  [batch(100), 1, 20],
  [batch(200), 1, 23],
  [batch(100), 2, 8],
  [campaignAdd, 1, 30],
];

for (const [way, concurrency, measured] of rested) {
  Deno.test(`a rested server takes ${measured} ms a contact as the real one does: ${way.name}, ${concurrency} at once`, async () => {
    const elapsedMs = await measure(way, concurrency, 1);
    assertWithin20Percent(elapsedMs / (way.size * concurrency), measured);
  });
}

/** Contacts a second under a steady load. */
const steady: [Way, concurrency: number, Measured][] = [
  [searchFirst, 1, [8, 11]],
  [searchFirst, 2, 24],
  [searchFirst, 3, 22],
  [searchFirst, 4, 22],
  [searchFirst, 8, 22],
  [searchFirst, 20, 19],
  [single, 1, 14],
  [single, 2, 27],
  [single, 3, 26],
  [single, 4, 26],
  [single, 8, 29],
  [batch(25), 1, 35],
  [batch(25), 2, 77],
  [batch(50), 1, [40, 55]],
  [batch(50), 2, 89],
  [batch(50), 3, [95, 99]],
  [batch(50), 4, [95, 99]],
  [batch(100), 1, 50],
  [batch(100), 2, 79],
];

for (const [way, concurrency, measured] of steady) {
  const rate = [measured].flat().join(" to ");
  Deno.test(`a loaded server saves ${rate} contacts a second as the real one does: ${way.name}, ${concurrency} at once`, async () => {
    const rounds = way.size === 1 ? 20 : 8;
    const elapsedMs = await measure(way, concurrency, rounds);
    assertWithin20Percent((way.size * concurrency * rounds) / (elapsedMs / 1_000), measured);
  });
}

Deno.test("the emulator takes in real time what its model says, late by no more than a timer", async () => {
  await using run = await startWithCaller({ latency: realisticLatency() });
  // The machine may be busy with something else: what must not be late is the quickest of some.
  const tries: number[] = [];
  for (let round = 0; round < 3; round++) {
    const from = systemClock.now();
    await batch(20).save(run.ask, Array.from({ length: 20 }, (_, i) => `t${round}i${i}@e.test`));
    tries.push(systemClock.now() - from);
  }
  const byModel = 50 + 20 * 18.5;
  assert.ok(Math.min(...tries) >= byModel - 5, `${tries} ms, expected ${byModel}`);
  assert.ok(Math.min(...tries) < byModel * 1.5, `${tries} ms, expected ${byModel} or a bit more`);
});
