import { readDelivery } from "shared/consent/read_delivery.ts";
import { inboxEvents } from "shared/database/inbox.ts";
import type { Reconciliation } from "./reconciliation.ts";

/** Deliveries that an operator wants read anew (mautic.replay_webhook). */
export async function readAgain(
  { database, correlationId, log, counts, inTime }: Reconciliation,
): Promise<void> {
  while (inTime()) {
    const delivery = await database.nextUnreadDelivery();
    if (delivery === null) return;
    const reading = readDelivery(JSON.parse(delivery.body));
    const { isTest } = reading;
    const events = inboxEvents(reading);
    const deliveryId = delivery.delivery_id;
    counts.changedLeads += await database.replaceEvents(
      deliveryId,
      { events, isTest },
      correlationId,
    );
    log.info("delivery_read_again", { deliveryId, events: events.length, isTest });
  }
}
