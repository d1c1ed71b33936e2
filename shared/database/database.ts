import { z } from "zod";
import type { Lead } from "shared/lead/lead.ts";
import { createCall, DatabaseError, type DatabaseOptions } from "./call.ts";

export { DatabaseError, type DatabaseOptions };

const scalar = z.union([z.string(), z.number(), z.null()]);
const entry = z.object({
  channel: z.string(),
  reason: z.number(),
  comments: z.string().nullable(),
});

/** An outbox item as mautic.leased_items() describes it. */
const leasedItem = z.object({
  lead_id: z.string(),
  attempt: z.number(),
  failed_alone: z.number(),
  operation: z.enum(["create", "edit", "look_up", "remove"]),
  removal: z.enum(["do_not_contact", "delete_contact"]).nullable(),
  linked: z.boolean(),
  superseded: z.boolean(),
  force: z.boolean(),
  ambiguous: z.boolean(),
  payload: z.unknown(),
  address: z.string().nullable(),
  attempted: z.array(z.object({ address: z.string().nullable(), payload: z.unknown() })),
  email_status: z.string().nullable(),
  contact_id: z.number().nullable(),
  snapshot: z.record(z.string(), scalar),
  refused: z.record(z.string(), scalar),
  filled: z.array(z.string()),
  do_not_contact: z.array(entry),
  enrolled_campaigns: z.array(z.number()),
  correlation_id: z.string(),
  changed_at: z.string(),
});
export type LeasedItem = z.infer<typeof leasedItem>;

const claimed = z.object({
  state: z.enum(["claimed", "lost", "busy", "paused", "open"]),
  lease_token: z.string().optional(),
  batch_size: z.number().optional(),
  items: z.array(leasedItem),
  more: z.boolean(),
});
export type Claim = z.infer<typeof claimed>;

/** What became of a leased item, as mautic.settle() takes it. */
export type Outcome = {
  lead_id: string;
  result: "done" | "retry" | "postponed" | "ambiguous" | "gone" | "dead";
  /** What a done item came to, for the history. */
  action?: "created" | "updated" | "unchanged" | "deleted" | "do_not_contact" | "kept";
  /** Contacts that were deleted in Mautic, for a deleted lead: all that is known of them goes. */
  removed_contact_ids?: number[];
  /** What Mautic's answer showed; recorded even when the lease is lost. */
  contact_id?: number;
  asked_contact_id?: number;
  /** The contact's. */
  address?: string;
  /** The lead's own, as it was sent. */
  lead_address?: string;
  snapshot?: Record<string, string | number | null>;
  refused?: Record<string, string | number | null>;
  do_not_contact?: z.infer<typeof entry>[];
  filled?: string[];
  shows_lead?: boolean;
  changed_at?: string;
  delay_ms?: number;
  failed_alone?: boolean;
  /** An earlier try was answered 500, which may come after the work was done. */
  may_be_done?: boolean;
  error_code?: string;
  error_message?: string;
};

const acquired = z.discriminatedUnion("state", [
  z.object({ state: z.literal("cached"), sealed: z.string(), expires_at: z.string() }),
  z.object({ state: z.literal("refresh") }),
  z.object({ state: z.literal("wait"), retry_ms: z.number() }),
]);

/** mautic.read_status(): the view `mautic.status`, ages in milliseconds. */
const status = z.object({
  due_now: z.number(),
  oldest_due_age_ms: z.number().nullable(),
  paused: z.boolean(),
  circuit: z.enum(["closed", "open"]),
  circuit_open_ms: z.number().nullable(),
  circuit_reason: z.string().nullable(),
}).catchall(z.unknown());
export type Status = z.infer<typeof status>;

const intention = z.enum(["new", "intended", "confirmed", "not_mailable", "busy"]);
const settled = z.object({ settled: z.number(), lost: z.array(z.string()) });

export type Database = ReturnType<typeof createDatabase>;

/**
 * The functions of schema `mautic` that the edge functions may call, typed, over the Data API.
 * Every method raises {@link DatabaseError}; what each does is said in the migrations.
 */
export function createDatabase(options: DatabaseOptions) {
  const call = createCall(options);
  const nothing = z.unknown();

  return {
    startWorker: (workerId: string, maxWorkers: number, leaseMs: number) =>
      call("start_worker", {
        p_worker_id: workerId,
        p_max_workers: maxWorkers,
        p_lease_ms: leaseMs,
      }, z.boolean()),
    renewWorker: (workerId: string, leaseMs: number, itemLeaseMs: number) =>
      call("renew_worker", {
        p_worker_id: workerId,
        p_lease_ms: leaseMs,
        p_item_lease_ms: itemLeaseMs,
      }, z.boolean()),
    renewLease: (holder: string, itemLeaseMs: number) =>
      call("renew_lease", { p_holder: holder, p_item_lease_ms: itemLeaseMs }, z.number()),
    leaveWorker: (workerId: string) =>
      call("leave_worker", { p_worker_id: workerId }, z.enum(["left", "work", "busy"])),
    abandonWorker: (workerId: string) => call("abandon_worker", { p_worker_id: workerId }, nothing),
    hasWork: () => call("has_work", {}, z.boolean()),
    hasChanges: () => call("has_changes", {}, z.boolean()),
    ring: (correlationId: string) => call("ring", { p_correlation_id: correlationId }, z.string()),
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
    readStatus: () => call("read_status", {}, status),
    sendingState: (origin: string) =>
      call("sending_state", { p_origin: origin }, z.enum(["closed", "probe", "open", "paused"])),
    contactInUse: (origin: string, contactId: number, address: string | null) =>
      call("contact_in_use", {
        p_origin: origin,
        p_contact_id: contactId,
        p_address: address,
      }, z.boolean()),
    intendEnrollment: (
      origin: string,
      campaignId: number,
      contactId: number,
      leadId: string | null,
      correlationId: string,
      holdMs: number,
    ) =>
      call("intend_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
        p_lead_id: leadId,
        p_correlation_id: correlationId,
        p_hold_ms: holdMs,
      }, intention),
    confirmEnrollment: (origin: string, campaignId: number, contactId: number) =>
      call("confirm_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
      }, nothing),
    releaseEnrollment: (origin: string, campaignId: number, contactId: number) =>
      call("release_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
      }, nothing),
    withdrawEnrollment: (origin: string, campaignId: number, contactId: number) =>
      call("withdraw_enrollment", {
        p_origin: origin,
        p_campaign_id: campaignId,
        p_contact_id: contactId,
      }, nothing),
    readEmailStatus: (origin: string, contactId: number, leadId: string) =>
      call("read_email_status", {
        p_origin: origin,
        p_contact_id: contactId,
        p_lead_id: leadId,
      }, z.string().nullable()),
    beginLift: (
      origin: string,
      contactId: number,
      leadId: string,
      entries: z.infer<typeof entry>[],
    ) =>
      call("begin_lift", {
        p_origin: origin,
        p_contact_id: contactId,
        p_lead_id: leadId,
        p_entries: entries,
      }, z.string().nullable()),
    tokens: {
      acquire: (origin: string, clientId: string, holder: string, holdMs: number) =>
        call("acquire_token", {
          p_origin: origin,
          p_client_id: clientId,
          p_holder: holder,
          p_hold_ms: holdMs,
        }, acquired),
      store: (
        origin: string,
        clientId: string,
        holder: string,
        sealed: string,
        expiresAt: string,
      ) =>
        call("store_token", {
          p_origin: origin,
          p_client_id: clientId,
          p_holder: holder,
          p_sealed: sealed,
          p_expires_at: expiresAt,
        }, nothing),
      drop: (origin: string, clientId: string, sealed: string) =>
        call("drop_token", {
          p_origin: origin,
          p_client_id: clientId,
          p_sealed: sealed,
        }, nothing),
      release: (origin: string, clientId: string, holder: string) =>
        call("release_token", {
          p_origin: origin,
          p_client_id: clientId,
          p_holder: holder,
        }, nothing),
    },
  };
}
