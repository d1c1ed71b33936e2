import { z } from "zod";
import type { SubscriptionKind } from "shared/consent/entry.ts";
import { decidesEmailStatus, type DeliveryReading } from "shared/consent/read_delivery.ts";
import type { Call } from "./call.ts";

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

const unread = z.object({ delivery_id: z.number(), body: z.string() }).nullable();

export type Inbox = ReturnType<typeof inboxCalls>;

/** Deliveries of the webhook: stored as they came, read into events, applied. */
export function inboxCalls(call: Call) {
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
  };
}
