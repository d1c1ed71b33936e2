import type { DeliveryReading } from "shared/consent/read_delivery.ts";
import type { Answers } from "shared/http/answer.ts";
import { maskAddress } from "shared/lead/address.ts";
import type { Log } from "shared/runtime/log.ts";
import { resultsOf } from "./results.ts";

/** Without Supabase settings: reads and logs, changes nothing, and says so. */
export function demo(reading: DeliveryReading, answers: Answers, log: Log): Response {
  for (const item of reading.items) {
    if (!item.ok) continue;
    const { type, channel, contactId, address, occurredAt } = item.event;
    log.info("demo_event", {
      type,
      channel,
      contactId,
      occurredAt,
      address: address === null ? null : maskAddress(address),
    });
  }
  return answers.ok({ demo: true, ...resultsOf(reading, null) });
}
