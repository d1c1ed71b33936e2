/** `deno task simulate --seeds N [--seed S]`: N worlds from seed S on; a failing one prints its history. */
import { parseArgs } from "node:util";
import { printResult } from "../../local/print.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    history: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
const count = Number(values.seeds);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  printResult("Usage: deno task simulate --seeds <how many> [--seed <the first>] [--history]");
  Deno.exit(2);
}
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const startedAt = Date.now();
  const result = await simulate(seed);
  const isBad = result.violations.length > 0;
  printResult(
    `seed ${seed} ${isBad ? "FAILED" : "ok"} ${
      result.hash.slice(0, 12)
    } requests ${result.requests} ` +
      `kills ${result.kills} races ${result.races} drained after ${result.drainedAfterSeconds} s ` +
      `(${Date.now() - startedAt} ms)`,
  );
  if (isBad || values.history) {
    for (const line of result.history) printResult(`  ${line}`);
    for (const violation of result.violations) printResult(`  VIOLATION ${violation}`);
    if (isBad) printResult(`  replay: deno task simulate --seed ${seed}`);
  }
  if (isBad) failed++;
}
printResult(`${count - failed} of ${count} seeds hold`);
Deno.exit(failed === 0 ? 0 : 1);
