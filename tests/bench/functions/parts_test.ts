import assert from "node:assert/strict";
import type { Part } from "../measure.ts";
import { functionParts } from "./parts.ts";
import { cpuSeconds, peakMemoryMb } from "./process_usage.ts";

const ids: Record<string, string[]> = {
  webhook: [
    "webhook.deliveries",
    "webhook.deliveries.many_leads",
    "webhook.events",
    "webhook.events.many_leads",
  ],
  "start-up": [
    "start_up.mautic_sync.hosted_deno",
    "start_up.mautic_webhook.hosted_deno",
    "start_up.mautic_sync.this_deno",
    "start_up.mautic_webhook.this_deno",
  ],
  bundle: [
    "bundle.mautic_sync.uploaded",
    "bundle.mautic_sync.bytes",
    "bundle.mautic_webhook.uploaded",
    "bundle.mautic_webhook.bytes",
  ],
  resources: [
    "memory.100_leads",
    "cpu.100_leads",
    "cpu.import",
    "cpu.enrolments",
    "cpu.trickle",
  ],
};

async function figuresOf(part: Part) {
  const { figures } = await part.run({ quick: true, note: () => {} });
  assert.deepEqual(figures.map(({ id }) => id), ids[part.name]);
  for (const { id, value } of figures) {
    assert.ok(value > 0 && Number.isFinite(value), `${id}: ${value}`);
  }
  return new Map(figures.map((figure) => [figure.id, figure]));
}

for (const part of functionParts) {
  Deno.test(`the benchmark "${part.name}" gives its figures`, async () => {
    const figures = await figuresOf(part);
    // Sizes do not depend on the machine's mood: a bundle over the limit cannot be deployed.
    for (const { id, isMet } of figures.values()) {
      if (id.startsWith("bundle.")) assert.notEqual(isMet, false, id);
    }
  });
}

Deno.test("what a process used is read from the kernel", () => {
  const before = cpuSeconds(Deno.pid);
  const residentMb = Deno.memoryUsage().rss / 1024 ** 2;
  // Busy until the kernel's own count says so: a wrong field of it would never.
  while (cpuSeconds(Deno.pid) - before < 0.05) Math.random();
  const peakMb = peakMemoryMb(Deno.pid);
  assert.ok(peakMb >= residentMb && peakMb < 100 * residentMb, `${peakMb} and ${residentMb} MB`);
});
