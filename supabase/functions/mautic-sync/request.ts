import { z } from "zod";

const id = z.union([
  z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
  z.string().regex(/^[1-9][0-9]{0,14}$/, "expected a positive integer"),
]).transform(Number);

/**
 * The body of a POST to mautic-sync. `payload` is parsed by the lead's own schema
 * (shared/lead/lead.ts), so that the queue and direct calls have one.
 */
export const syncRequest = z.discriminatedUnion("action", [
  z.object({ action: z.literal("upsert_contact"), payload: z.unknown() }),
  z.object({ action: z.literal("add_to_campaign"), mauticContactId: id, campaignId: id }),
  z.object({ action: z.literal("ping") }),
  z.object({ action: z.literal("drain") }),
  z.object({ action: z.literal("reconcile_consent") }),
]);
export type SyncRequest = z.infer<typeof syncRequest>;
