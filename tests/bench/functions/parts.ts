/** The benchmarks of the functions themselves: what they take in, weigh, and use. */
import type { Part } from "../measure.ts";
import { bundlePart } from "./bundle.ts";
import { resourcesPart } from "./resources.ts";
import { startUpPart } from "./start_up.ts";
import { webhookPart } from "./webhook.ts";

export const functionParts: Part[] = [webhookPart, startUpPart, bundlePart, resourcesPart];
