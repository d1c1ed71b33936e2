import { z } from "zod";
import type { SubscriptionKind } from "shared/consent/entry.ts";
import type { Call } from "./call.ts";

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

const started = z.discriminatedUnion("state", [
  z.object({ state: z.literal("busy") }),
  z.object({
    state: z.literal("started"),
    since: z.string().nullable(),
    scanned_upto: z.number().nullable(),
  }),
]);

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

export type Reconcile = ReturnType<typeof reconcileCalls>;

/** Mautic's do-not-contact table against what is known here. */
export function reconcileCalls(call: Call) {
  const nothing = z.unknown();

  return {
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
