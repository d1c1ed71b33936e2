/** The benchmarks of the whole way: from a commit to a contact in Mautic. */
import type { Part } from "../measure.ts";

export const loadParts: Part[] = [];
