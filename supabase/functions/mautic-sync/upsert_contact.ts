import type { Claim } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import type { Lead } from "shared/lead/lead.ts";
import { itemLeaseMs, type Lease, whileRenewing } from "./lease.ts";
import { settleSurely } from "./settle.ts";
import { outcome, syncLeads } from "./sync_leads.ts";
import type { SyncContext, Work } from "./work.ts";

const busyPauseMs = 250;
const busyPatienceMs = 10_000;

export type UpsertAnswer =
  | {
    state: "done";
    contactId: string;
    created: boolean;
    enrolled: boolean;
    enrollmentReason: string;
  }
  | { state: "failed"; code: string; message: string; retryable: boolean }
  | { state: "busy" | "paused" | "open" };

/**
 * Upserts one lead that the caller brings: the same lease, the same steps and the same records as
 * the queue. Waits up to 10 s while that person is with a worker. Errors: DatabaseError.
 */
export async function upsertContact(
  lead: Lead,
  correlationId: string,
  context: SyncContext & { holder: string; lease: Lease },
): Promise<UpsertAnswer> {
  const { settings } = context;
  const address = validateAddress(lead.contact.email, settings.fieldMaxLength);
  if (!address.ok) {
    return {
      state: "failed",
      code: "invalid_email",
      message: `contact.email ${address.reason}`,
      retryable: false,
    };
  }
  const { claim, claimedAt } = await claimPatiently(
    { id: lead.id, address: address.address, payload: lead },
    correlationId,
    context,
  );
  if (claim.state === "paused" || claim.state === "open") return { state: claim.state };
  if (!claim.lease_token) return { state: "busy" };
  const token = claim.lease_token;
  context.lease.until = claimedAt + itemLeaseMs(settings);
  const items = claim.items.map((item) => ({
    ...item,
    payload: lead,
    address: address.address,
    correlation_id: correlationId,
  }));

  const works = await whileRenewing({
    ...context,
    everyMs: settings.workerLeaseMs / 3,
    renew: async () => await context.database.renewLease(context.holder, itemLeaseMs(settings)) > 0,
  }, () => syncLeads(items, context));
  const outcomes = works.map((work) => outcome(work, context));
  await settleSurely(settings.baseUrl, token, outcomes, context, null);
  return answer(works[0]!);
}

/** `claimedAt`: before it was asked for, since its answer may come when the lease has run for a while. */
async function claimPatiently(
  lead: { id: string; address: string; payload: Lead },
  correlationId: string,
  { database, settings, clock, holder }: SyncContext & { holder: string },
): Promise<{ claim: Claim; claimedAt: number }> {
  const until = clock.now() + busyPatienceMs;
  while (true) {
    const claimedAt = clock.now();
    const claim = await database.claimLead(
      holder,
      settings.baseUrl,
      lead,
      correlationId,
      itemLeaseMs(settings),
    );
    if (claim.state !== "busy" || clock.now() >= until) return { claim, claimedAt };
    await clock.sleep(busyPauseMs);
  }
}

function answer(work: Work): UpsertAnswer {
  const { result } = work;
  const contactId = work.contact?.id ?? work.item.contact_id;
  if (result === undefined && contactId !== null && contactId !== undefined) {
    return {
      state: "done",
      contactId: String(contactId),
      created: work.created,
      enrolled: work.enrolled ?? false,
      enrollmentReason: work.enrollmentReason ?? "disabled",
    };
  }
  return {
    state: "failed",
    code: result?.error_code ?? "retry_later",
    message: result?.error_message ?? "The contact was deleted in Mautic; send the lead again.",
    retryable: result?.result !== "dead",
  };
}
