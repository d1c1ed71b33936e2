import assert from "node:assert/strict";
import { simulate } from "./simulate.ts";

/** For the gate; `deno task simulate --seeds N` runs as many as one likes. */
const seeds = 12;

Deno.test(`in ${seeds} random histories with faults everywhere the invariants hold`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations, history } = await simulate(seed);
    assert.deepEqual(violations, [], `seed ${seed}\n${history.join("\n")}`);
  }
});

Deno.test("a seed replays exactly: the same requests at the same times, the same final state", async () => {
  const first = await simulate(7);
  const second = await simulate(7);
  assert.equal(second.hash, first.hash);
  assert.ok(first.requests > 0);
});
