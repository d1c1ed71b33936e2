import { isEmail } from "shared/consent/entry.ts";
import { decidesEmailStatus, type DeliveryReading } from "shared/consent/read_delivery.ts";
import type { Received } from "shared/database/inbox.ts";
import { maskAddress } from "shared/lead/address.ts";

export interface EventResult {
  /** Masked: Mautic keeps our answers in its webhook log. null where only the id is known. */
  email: string | null;
  type: string;
  /** Done with: applied, or there was nothing to change. */
  processed: boolean;
  outcome: string;
}

export interface DeliveryResults {
  eventsProcessed: number;
  eventsFailed: number;
  results: EventResult[];
  /** Items of other types: seen, stored, of no consequence. */
  ignored: number;
  unknown: number;
  duplicate?: boolean;
  test?: boolean;
  resultsOmitted?: number;
}

const mostResults = 1_000;
const done = ["applied", "unchanged", "duplicate", "ours", "other_channel"];

/**
 * The `data` of an answer, a result for each event in the order of the body. Neither processed nor
 * failed: `pending` (nobody's lead yet), `deferred` (a lead is locked, the sweep applies it),
 * `test`, `demo`. `received` null: nothing was stored (demo mode).
 */
export function resultsOf(reading: DeliveryReading, received: Received | null): DeliveryResults {
  const outcomes = received?.results.values();
  const results = reading.items.map((item): EventResult => {
    if (!item.ok) {
      const { type, reason } = item.rejection;
      return { email: null, type, processed: false, outcome: reason };
    }
    const { event } = item;
    let outcome: string;
    if (reading.isTest) outcome = "test";
    else if (!isEmail(event.channel)) outcome = "other_channel";
    else if (!decidesEmailStatus(event)) outcome = "ours";
    else if (received === null) outcome = "demo";
    else outcome = outcomes?.next().value?.outcome ?? "failed";
    return {
      email: event.address === null ? null : maskAddress(event.address),
      type: event.type,
      processed: done.includes(outcome),
      outcome,
    };
  });
  const failed =
    reading.items.filter((item, index) => !item.ok || results[index]?.outcome === "failed").length;
  return {
    eventsProcessed: results.filter(({ processed }) => processed).length,
    eventsFailed: failed,
    results: results.slice(0, mostResults),
    ignored: reading.ignored,
    unknown: reading.unknown,
    ...(received?.duplicate ? { duplicate: true } : {}),
    ...(reading.isTest ? { test: true } : {}),
    ...(results.length > mostResults ? { resultsOmitted: results.length - mostResults } : {}),
  };
}
