import { z } from "zod";
import type { Lead } from "shared/lead/lead.ts";
import type { Call } from "./call.ts";

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
  ambiguous: z.boolean(),
  payload: z.unknown(),
  address: z.string().nullable(),
  attempted: z.array(z.object({ address: z.string().nullable(), payload: z.unknown() })),
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

const claimed = z.object({
  state: z.enum(["claimed", "lost", "busy", "paused", "open"]),
  lease_token: z.string().optional(),
  batch_size: z.number().optional(),
  items: z.array(leasedItemSchema),
  more: z.boolean(),
});
export type Claim = z.infer<typeof claimed>;

/** What became of a leased item, as mautic.settle() takes it (type mautic.outcome). */
export const outcomeSchema = z.object({
  lead_id: z.string(),
  result: z.enum(["done", "retry", "postponed", "ambiguous", "gone", "dead"]),
  /** What a done item came to, for the history. */
  action: z.exactOptional(
    z.enum(["created", "updated", "unchanged", "deleted", "do_not_contact", "kept"]),
  ),
  /** Contacts that were deleted in Mautic, for a deleted lead: all that is known of them goes. */
  removed_contact_ids: z.exactOptional(z.array(z.int())),
  /** What Mautic's answer showed; recorded even when the lease is lost. */
  contact_id: z.exactOptional(z.int()),
  /** The id that was asked for, where another one came back: the contact was merged. */
  asked_contact_id: z.exactOptional(z.int()),
  /** The contact's. */
  address: z.exactOptional(z.string()),
  /** The lead's own, as it was sent. */
  lead_address: z.exactOptional(z.string()),
  snapshot: z.exactOptional(fieldValues),
  refused: z.exactOptional(fieldValues),
  do_not_contact: z.exactOptional(z.array(entry)),
  /** Aliases that this lead has filled. */
  filled: z.exactOptional(z.array(z.string())),
  /** The answer shows this very lead. */
  shows_lead: z.exactOptional(z.boolean()),
  /** When the lead changed, which is what orders the leads of one contact. */
  changed_at: z.exactOptional(z.string()),
  /** Of retry, postponed and ambiguous: how long to wait. */
  delay_ms: z.exactOptional(z.int()),
  /** Mautic failed on this item alone, while others passed. */
  failed_alone: z.exactOptional(z.boolean()),
  /** An earlier try was answered 500, which may come after the work was done. */
  may_be_done: z.exactOptional(z.boolean()),
  error_code: z.exactOptional(z.string()),
  error_message: z.exactOptional(z.string()),
  /** Of a dead letter: what to do about it. */
  error_remedy: z.exactOptional(z.string()),
});
export type Outcome = z.infer<typeof outcomeSchema>;

const settled = z.object({ settled: z.number(), lost: z.array(z.string()) });

/** The outbox: what is claimed, and what became of it. */
export function queueCalls(call: Call) {
  return {
    hasWork: () => call("has_work", {}, z.boolean()),
    hasChanges: () => call("has_changes", {}, z.boolean()),
    claim: (workerId: string, origin: string, limit: number, itemLeaseMs: number) =>
      call("claim", {
        p_worker_id: workerId,
        p_origin: origin,
        p_limit: limit,
        p_item_lease_ms: itemLeaseMs,
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
      }, claimed),
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
    sendingState: (origin: string) =>
      call("sending_state", { p_origin: origin }, z.enum(["closed", "probe", "open", "paused"])),
  };
}
