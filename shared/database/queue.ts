import { z } from "zod";
import { fieldMapSchema } from "shared/lead/field_map.ts";
import type { Lead } from "shared/lead/lead.ts";
import { leadPayloadSchema } from "shared/lead/payload.ts";
import type { Call } from "./call.ts";
import type { Outcome } from "./outcome.ts";

const fieldValues = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const entry = z.object({
  channel: z.string(),
  reason: z.number(),
  comments: z.string().nullable(),
});

/** An outbox item as mautic.leased_items() describes it. */
export const leasedItemSchema = z.object({
  lead_id: z.string(),
  attempt: z.number(),
  failed_alone: z.number(),
  operation: z.enum(["create", "edit", "look_up", "remove"]),
  removal: z.enum(["do_not_contact", "delete_contact"]).nullable(),
  superseded: z.boolean(),
  force: z.boolean(),
  /** Of a contact that is in Mautic already only the blanks are filled. */
  fill: z.boolean(),
  /** Its no reaches a contact that is there; nothing else of it is sent, and no contact is made. */
  withdraws: z.boolean(),
  ambiguous: z.boolean(),
  /** null: the lead is gone. */
  payload: leadPayloadSchema.nullable(),
  address: z.string().nullable(),
  attempted: z.array(
    z.object({ address: z.string().nullable(), payload: leadPayloadSchema.nullable() }),
  ),
  email_status: z.string().nullable(),
  contact_id: z.number().nullable(),
  snapshot: fieldValues,
  refused: fieldValues,
  filled: z.array(z.string()),
  do_not_contact: z.array(entry),
  enrolled_campaigns: z.array(z.number()),
  correlation_id: z.string(),
  changed_at: z.string(),
});

export type LeasedItem = z.infer<typeof leasedItemSchema>;

const claimed = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("claimed"),
    lease_token: z.string(),
    batch_size: z.number().optional(),
    field_map: fieldMapSchema,
    items: z.array(leasedItemSchema),
    more: z.boolean(),
  }),
  z.object({ state: z.enum(["lost", "busy", "paused", "open", "not_live"]) }),
]);
export type Claim = z.infer<typeof claimed>;

const settled = z.object({ settled: z.number(), lost: z.array(z.string()) });

/** The outbox: what is claimed, and what became of it. */
export function queueCalls(call: Call, project: string) {
  return {
    claim: (workerId: string, origin: string, limit: number, itemLeaseMs: number) =>
      call("claim", {
        p_worker_id: workerId,
        p_origin: origin,
        p_limit: limit,
        p_item_lease_ms: itemLeaseMs,
        p_project: project,
      }, claimed),
    claimLead: (
      holder: string,
      origin: string,
      lead: { id: string; address: string; payload: Lead },
      correlationId: string,
      itemLeaseMs: number,
    ) =>
      call("claim_lead", {
        p_holder: holder,
        p_origin: origin,
        p_lead_id: lead.id,
        p_address: lead.address,
        p_payload: lead.payload,
        p_correlation_id: correlationId,
        p_item_lease_ms: itemLeaseMs,
        p_project: project,
      }, claimed),
    giveBack: (leaseToken: string) => call("give_back", { p_lease_token: leaseToken }, z.number()),
    settle: (
      origin: string,
      leaseToken: string,
      outcomes: Outcome[],
      run: { halted: string | null; answered: boolean; batchSize: number | null },
    ) =>
      call("settle", {
        p_origin: origin,
        p_lease_token: leaseToken,
        p_outcomes: outcomes,
        p_halted: run.halted,
        p_answered: run.answered,
        p_batch_size: run.batchSize,
      }, settled),
  };
}
