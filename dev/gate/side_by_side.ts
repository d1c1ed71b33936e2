/** Steps of the gate that run at the same time, each with its output in one piece. */
import type { Outcome } from "./test_report.ts";

export interface Step {
  title: string;
  /** Runs it; `write` takes what it prints. */
  run(write: (bytes: Uint8Array) => void): Promise<Outcome>;
}

/**
 * Runs steps in their order, as many at a time as there are lanes. What a step prints is printed when
 * it has ended, under its title and the time it took.
 *
 * @returns the outcomes, in the order of the steps
 */
export async function runSideBySide(
  steps: readonly Step[],
  { lanes, print }: { lanes: number; print: (bytes: Uint8Array) => void },
): Promise<Outcome[]> {
  const outcomes = new Map<Step, Outcome>();
  const waiting = [...steps];
  const encoder = new TextEncoder();
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const printed: Uint8Array[] = [];
      const begun = performance.now();
      outcomes.set(step, await step.run((bytes) => void printed.push(bytes)));
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      print(encoder.encode(`\n== ${step.title} (${seconds} s)\n`));
      printed.forEach(print);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return steps.flatMap((step) => outcomes.get(step) ?? []);
}
