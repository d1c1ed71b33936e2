import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { simulate } from "./simulate.ts";

const mainProgram = fileURLToPath(new URL("main.ts", import.meta.url));
/** A few at hand; the gate runs 200 (`deno task simulate --seeds 200 --seed 1000 --jobs 2`). */
const seeds = 8;

Deno.test(`in ${seeds} random histories with faults everywhere the invariants hold`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations, history } = await simulate(seed);
    assert.deepEqual(violations, [], `seed ${seed}\n${history.join("\n")}`);
  }
});

Deno.test("a seed replays exactly, here and in another process: the same requests at the same times, the same final state", async () => {
  const first = await simulate(7);
  const second = await simulate(7);
  assert.equal(second.hash, first.hash);
  assert.ok(first.requests > 0);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", mainProgram, "--seed", "7"],
    stdin: "null",
    stderr: "null",
  }).output();
  assert.match(
    new TextDecoder().decode(stdout),
    new RegExp(`^seed 7 ok ${first.hash.slice(0, 12)} `),
  );
});

Deno.test("two processes share the seeds out, each prints its own, and one line says how many hold", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", mainProgram, "--seed", "7", "--seeds", "2", "--jobs", "2"],
    stdin: "null",
    stderr: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n").sort();
  assert.ok(success, lines.join("\n"));
  const expected = [/^2 of 2 seeds hold$/, /^seed 7 ok /, /^seed 8 ok /];
  assert.equal(lines.length, expected.length, lines.join("\n"));
  expected.forEach((line, index) => assert.match(lines[index] ?? "", line));
});
