/** The benchmarks of what happens inside Postgres. */
import type { Part } from "../measure.ts";
import { attachPart } from "./attach.ts";
import { claimPart } from "./claim.ts";
import { triggerPart } from "./triggers.ts";

export const databaseParts: Part[] = [triggerPart, attachPart, claimPart];
