import { z } from "zod";
import type { SubscriptionKind } from "shared/consent/entry.ts";
import { decidesEmailStatus, type DeliveryReading } from "shared/consent/read_delivery.ts";
import { createCall, type DatabaseOptions } from "./call.ts";

/** An event as mautic.receive_delivery() takes it. */
export type InboxEvent = {
  contact_id: number | null;
  address: string | null;
  kind: SubscriptionKind;
  occurred_at: string | null;
  detail: { comments?: string; email_id?: number };
};

/** The events of a reading that decide about email_status, in their order. */
export function inboxEvents(reading: DeliveryReading): InboxEvent[] {
  return reading.items.flatMap((item) => {
    if (!item.ok || !decidesEmailStatus(item.event)) return [];
    const { contactId, address, kind, occurredAt, detail } = item.event;
    return [{ contact_id: contactId, address, kind, occurred_at: occurredAt, detail }];
  });
}

/** A row of Mautic's do-not-contact table as mautic.record_do_not_contact() takes it. */
export type DoNotContactRow = {
  id: number;
  contact_id: number;
  channel: string;
  /** null: another channel, or our own marked entry. */
  kind: SubscriptionKind | null;
  detail: Record<string, string>;
  added_at: string;
};

const received = z.object({
  delivery_id: z.number(),
  duplicate: z.boolean(),
  error: z.string().optional(),
  results: z.array(z.object({
    outcome: z.enum(["applied", "unchanged", "duplicate", "pending", "deferred", "failed"]),
    changed_leads: z.number(),
  })),
});
/** What became of a delivery: a result for each event, in order; none with `error`. */
export type Received = z.infer<typeof received>;

const started = z.discriminatedUnion("state", [
  z.object({ state: z.literal("busy") }),
  z.object({
    state: z.literal("started"),
    since: z.string().nullable(),
    swept_upto: z.number().nullable(),
  }),
]);
const unread = z.object({ delivery_id: z.number(), body: z.string() }).nullable();
const recorded = z.object({
  recorded: z.number(),
  forgotten: z.number(),
  changed_leads: z.number(),
});
const toCheck = z.array(
  z.object({ contact_id: z.number(), state_at: z.string(), bounced: z.boolean() }),
);
export type ContactToCheck = z.infer<typeof toCheck>[number];

const asserted = z.object({ changed_leads: z.number(), upto_id: z.number().nullable() });

/** A contact that was merged into another in Mautic; `address` is the survivor's. */
export type Merged = { loser: number; survivor: number; address: string };

export type Inbox = ReturnType<typeof createInbox>;

/**
 * The inbound functions of schema `mautic` over the Data API: what mautic-webhook and the
 * reconciliation call. Every method raises DatabaseError; what each does is said in the migrations.
 */
export function createInbox(options: DatabaseOptions) {
  const call = createCall(options);
  const nothing = z.unknown();

  return {
    receiveDelivery: (
      delivery: {
        body: string;
        events: InboxEvent[];
        origin: string | null;
        isTest: boolean;
      },
      correlationId: string,
    ) =>
      call("receive_delivery", {
        p_body: delivery.body,
        p_events: delivery.events,
        p_origin: delivery.origin,
        p_is_test: delivery.isTest,
        p_correlation_id: correlationId,
      }, received),
    nextUnreadDelivery: () => call("next_unread_delivery", {}, unread),
    replaceEvents: (
      deliveryId: number,
      reading: { events: InboxEvent[]; isTest: boolean },
      correlationId: string,
    ) =>
      call("replace_events", {
        p_delivery_id: deliveryId,
        p_events: reading.events,
        p_is_test: reading.isTest,
        p_correlation_id: correlationId,
      }, z.number()),
    startReconcile: (origin: string, leaseMs: number) =>
      call("start_reconcile", { p_origin: origin, p_lease_ms: leaseMs }, started),
    /** `stretch`: the rows are all there are with these ids; see the migration. */
    recordDoNotContact: (
      origin: string,
      rows: DoNotContactRow[],
      stretch: { afterId: number; uptoId: number | null } | null,
      correlationId: string,
    ) =>
      call("record_do_not_contact", {
        p_origin: origin,
        p_entries: rows,
        p_after_id: stretch?.afterId ?? null,
        p_upto_id: stretch?.uptoId ?? null,
        p_correlation_id: correlationId,
      }, recorded),
    knownDoNotContact: (origin: string) =>
      call("known_do_not_contact", { p_origin: origin }, z.number()),
    contactsToCheck: (origin: string, afterId: number, limit: number) =>
      call("contacts_to_check", { p_origin: origin, p_after_id: afterId, p_limit: limit }, toCheck),
    settleCheck: (
      origin: string,
      checked: (ContactToCheck & { address?: string; result: "lifted" | "gone" })[],
      correlationId: string,
    ) =>
      call("settle_check", {
        p_origin: origin,
        p_checked: checked,
        p_correlation_id: correlationId,
      }, z.number()),
    assertDoNotContact: (origin: string, afterId: number, limit: number, correlationId: string) =>
      call("assert_do_not_contact", {
        p_origin: origin,
        p_after_id: afterId,
        p_limit: limit,
        p_correlation_id: correlationId,
      }, asserted),
    linksToCheck: (origin: string, limit: number) =>
      call("links_to_check", { p_origin: origin, p_limit: limit }, z.array(z.number())),
    settleLinks: (origin: string, uptoId: number, merged: Merged[]) =>
      call("settle_links", { p_origin: origin, p_upto_id: uptoId, p_merged: merged }, nothing),
    finishReconcile: (origin: string) => call("finish_reconcile", { p_origin: origin }, nothing),
    abandonReconcile: (origin: string) => call("abandon_reconcile", { p_origin: origin }, nothing),
  };
}
