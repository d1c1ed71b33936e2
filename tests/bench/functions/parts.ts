/** The benchmarks of the functions themselves: bundles, start-up, memory, CPU. */
import type { Part } from "../measure.ts";

export const functionParts: Part[] = [];
