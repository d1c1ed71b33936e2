import assert from "node:assert/strict";
import type { Part } from "../measure.ts";
import { databaseParts } from "./parts.ts";

// Each part itself refuses to measure writes that were not noted, or batches that were not taken.
const ids: Record<string, string[]> = {
  trigger: [
    "trigger.one_row",
    "trigger.one_row_ringing",
    "trigger.bulk_insert",
    "trigger.irrelevant_update",
    "trigger.relevant_update",
    "trigger_wide.bulk_insert",
    "trigger_wide.irrelevant_update",
    "trigger_wide.relevant_update",
    "trigger.one_row_in_memory",
    "trigger.one_row_in_memory_ringing",
  ],
  attach: [
    "attach.lock",
    "compare.pass",
    "compare.page",
    "compare.idle",
    "lanes.new_behind_bulk",
  ],
  claim: [
    "claim.long_queue",
    "settle.long_queue",
    "claim.folding",
    "claim.since_empty",
    "claim.wasted",
    "look.wasted",
  ],
};

async function quick(part: Part) {
  return await part.run({ quick: true, note: () => {} });
}

for (const part of databaseParts) {
  Deno.test(`the benchmark "${part.name}" gives its figures`, async () => {
    const { figures } = await quick(part);
    assert.deepEqual(figures.map(({ id }) => id), ids[part.name]);
    for (const { id, value, baseline, ratio } of figures) {
      assert.ok(value > 0 && Number.isFinite(value), `${id}: ${value}`);
      if (baseline === null) continue;
      assert.ok(ratio !== null && ratio > 0 && Number.isFinite(ratio), `${id}: ${ratio}`);
    }
  });
}
