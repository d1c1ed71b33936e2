import {
  isEmail,
  isOurs,
  manualReason,
  type SubscriptionKind,
  tidyComment,
  unlessComplaint,
} from "./entry.ts";

/** One change of one person's subscription to one channel. */
export interface SubscriptionEvent {
  kind: SubscriptionKind;
  /** The word for it in answers, e.g. `unsubscribe`. */
  type: "resubscribe" | "unsubscribe" | "bounce" | "complaint";
  /** Lower case; only `email` touches email_status. */
  channel: string;
  contactId: number | null;
  /** As Mautic gives it, trimmed. */
  address: string | null;
  /** By Mautic's clock, ISO 8601 in UTC, to the second; null where it names no time. */
  occurredAt: string | null;
  /** The do-not-contact entry is one that we set for a missing consent. */
  ours: boolean;
  detail: { comments?: string; email_id?: number };
}

export interface Rejection {
  type: string;
  reason: "no_person" | "no_channel" | "unknown_status" | "not_an_object";
}

/** A delivery as read: every event and every item that should be one but is not. */
export interface DeliveryReading {
  /** Mautic's test button: invented contacts with ids that may exist. Never to be applied. */
  isTest: boolean;
  items: ({ ok: true; event: SubscriptionEvent } | { ok: false; rejection: Rejection })[];
  /** Items of types that say nothing about subscriptions. */
  ignored: number;
  /** Items of types that no Mautic of ours knows. */
  unknown: number;
}

type Json = Record<string, unknown>;

const subscriptionType = "mautic.lead_channel_subscription_changed";

/** Many instructions name it, and no Mautic has it (docs/mautic.md, "Events"). */
const bounceAlias = "mautic.email_on_bounce";

const otherTypes = new Set([
  "mautic.lead_post_save_new",
  "mautic.lead_post_save_update",
  "mautic.lead_points_change",
  "mautic.lead_post_delete",
  "mautic.lead_company_change",
  "mautic.lead_list_change",
  "mautic.company_post_save",
  "mautic.company_post_delete",
  "mautic.email_on_send",
  "mautic.email_on_open",
  "mautic.form_on_submit",
  "mautic.page_on_hit",
  "mautic.sms_on_send",
]);

/**
 * `old_status` is not looked at: where an entry is replaced it reads `contactable` (recorded:
 * dnc-add-email-reason-1; docs/mautic.md, "Events").
 */
const kinds = new Map<string, SubscriptionKind>([
  ["contactable", "subscribed"],
  ["subscribed", "subscribed"],
  ["unsubscribed", "unsubscribed"],
  ["bounced", "bounced"],
  ["manual", "manual"],
  ["complained", "complained"],
  ["complaint", "complained"],
]);

const types = {
  subscribed: "resubscribe",
  unsubscribed: "unsubscribe",
  manual: "unsubscribe",
  bounced: "bounce",
  complained: "complaint",
} as const;

/**
 * Reads the body of a webhook, in every shape that Mautic sends: items in arrays or bare, `contact`
 * or `lead`, ids as numbers or text, the address in any field group or beside the id. Pure and
 * total: any JSON gives a reading.
 *
 * @param body The parsed JSON of the delivery.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readDelivery } from "shared/consent/read_delivery.ts";
 *
 * const { items } = readDelivery({
 *   "mautic.lead_channel_subscription_changed": [{
 *     contact: { id: 7, fields: { core: { email: { value: "john@example.com" } } } },
 *     channel: "email",
 *     new_status: "unsubscribed",
 *     timestamp: "2026-01-05T10:00:00+00:00",
 *   }],
 * });
 * const [item] = items;
 * assert.ok(item?.ok);
 * const { kind, contactId, address, occurredAt } = item.event;
 * assert.deepEqual([kind, contactId, address], ["unsubscribed", 7, "john@example.com"]);
 * assert.equal(occurredAt, "2026-01-05T10:00:00.000Z");
 * ```
 */
export function readDelivery(body: unknown): DeliveryReading {
  const reading: DeliveryReading = { isTest: false, items: [], ignored: 0, unknown: 0 };
  if (!isObject(body)) return reading;
  reading.isTest = Object.hasOwn(body, "timestamp");
  for (const [type, value] of Object.entries(body)) {
    const items = itemsOf(value);
    if (type === subscriptionType || type === bounceAlias) {
      for (const item of items) reading.items.push(readItem(type, item));
    } else if (otherTypes.has(type)) {
      reading.ignored += items.length;
    } else if (!(type === "timestamp" && reading.isTest)) {
      reading.unknown += Math.max(items.length, 1);
    }
  }
  return reading;
}

/** Does this event decide about email_status? Our own marked entry and other channels do not. */
export function decidesEmailStatus(event: SubscriptionEvent): boolean {
  return isEmail(event.channel) && !event.ours;
}

function readItem(type: string, item: unknown): DeliveryReading["items"][number] {
  const reject = (reason: Rejection["reason"]) => ({
    ok: false as const,
    rejection: { type, reason },
  });
  if (!isObject(item)) return reject("not_an_object");
  const bounce = type === bounceAlias;
  const channel = text(item["channel"])?.toLowerCase() ?? (bounce ? "email" : null);
  if (channel === null) return reject("no_channel");
  const told = text(item["new_status"])?.toLowerCase() ?? (bounce ? "bounced" : "");
  const toldKind = kinds.get(told);
  if (toldKind === undefined) return reject("unknown_status");

  const stat = object(item["stat"]);
  const person = [item["contact"], item["lead"], stat["lead"]].find(isObject) ?? {};
  const contactId = id(person["id"]);
  const address = addressOf(person) ??
    [item["email"], item["emailAddress"], stat["emailAddress"]].map(addressText)
      .find((found) => found !== null) ??
    null;
  if (contactId === null && address === null) return reject("no_person");

  const entry = toldKind === "subscribed"
    ? undefined
    : valuesOf(person["doNotContact"]).filter(isObject).find((each) =>
      text(each["channel"])?.toLowerCase() === channel
    );
  const comments = entry ? text(entry["comments"]) : null;
  const emailId = entry ? id(entry["channelId"]) : null;
  const kind = unlessComplaint(toldKind, comments);
  return {
    ok: true,
    event: {
      kind,
      type: types[kind],
      channel,
      contactId,
      address,
      occurredAt: time(item["timestamp"]),
      ours: toldKind === "manual" && isOurs({ reason: manualReason, comments }),
      detail: {
        ...(comments === null ? {} : { comments: tidyComment(comments) }),
        ...(emailId === null ? {} : { email_id: emailId }),
      },
    },
  };
}

/** PHP writes a list with gaps as an object; the test button sends bare objects. */
function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) return [];
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^\d+$/.test(key)) ? Object.values(value) : [value];
}

/** `email` beside the id (flat), or as a field of any group: people move fields between groups. */
function addressOf(person: Json): string | null {
  const flat = addressText(person["email"]);
  if (flat !== null) return flat;
  for (const group of valuesOf(person["fields"])) {
    const field = object(group)["email"];
    const found = addressText(isObject(field) ? field["value"] : field);
    if (found !== null) return found;
  }
  // Not grouped at all.
  const field = object(person["fields"])["email"];
  return addressText(isObject(field) ? field["value"] : field);
}

function addressText(value: unknown): string | null {
  const found = text(value);
  // What Postgres cannot store (NUL, halves of surrogate pairs) is nobody's address.
  const usable = found !== null && found.includes("@") && found.length <= 320 &&
    // deno-lint-ignore no-control-regex
    !/[\u0000-\u001f]/.test(found) && found.isWellFormed();
  return usable ? found : null;
}

function text(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const trimmed = value.replaceAll("\u0000", "").trim();
  return trimmed === "" ? null : trimmed;
}

function id(value: unknown): number | null {
  const parsed = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof parsed === "number" && Number.isSafeInteger(parsed) && parsed > 0 ? parsed : null;
}

function time(value: unknown): string | null {
  const given = text(value);
  if (given === null || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(given)) return null;
  // Mautic names its offset; where one is missing it means UTC.
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(given) ? given : `${given}Z`;
  const at = new Date(zoned);
  const year = at.getUTCFullYear();
  return year >= 2000 && year < 2100 ? at.toISOString() : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

function valuesOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}
