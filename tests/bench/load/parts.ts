/** The benchmarks of the whole way: from a commit to a contact in Mautic. */
import type { Part } from "../measure.ts";
import { bulkPart } from "./bulk_part.ts";
import { latencyPart } from "./latency_part.ts";

export const loadParts: Part[] = [latencyPart, bulkPart];
