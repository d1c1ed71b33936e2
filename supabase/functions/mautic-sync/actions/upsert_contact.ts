import type { Claim } from "shared/database/queue.ts";
import type { Answers } from "shared/http/answer.ts";
import { validateAddress } from "shared/lead/address.ts";
import { type Lead, parseLead } from "shared/lead/lead.ts";
import type { ActionContext } from "../connect.ts";
import { connectMautic } from "../connect_mautic.ts";
import { contactOf } from "../outbound/item.ts";
import { outcome } from "../outbound/outcome.ts";
import { type Synced, syncLeads } from "../outbound/sync_leads.ts";
import { itemLeaseMs, type Lease, whileRenewing } from "../worker/lease.ts";
import { saidBy, settleSurely } from "../worker/settle.ts";
import { malformedLead, notSending } from "./refusals.ts";

const busyPauseMs = 250;
const busyPatienceMs = 10_000;

/**
 * Upserts one lead that the caller brings: the same lease, the same steps and the same records as
 * the queue. Waits up to 10 s while that person is with a worker.
 *
 * @throws {DatabaseError} where the database fails
 */
export async function upsertContact(payload: unknown, context: ActionContext): Promise<Response> {
  const { answers, settings, database } = context;
  const { correlationId } = answers;
  const parsed = parseLead(payload);
  if (!parsed.ok) return answers.fail(...malformedLead(parsed.issues));
  const { lead } = parsed;
  const checked = validateAddress(lead.contact.email, settings.fieldMaxLength);
  if (!checked.ok) return answers.fail("invalid_email", `contact.email ${checked.reason}`);
  const { address } = checked;

  const holder = crypto.randomUUID();
  const { claim, claimedAt } = await claimPatiently(lead, address, holder, context);
  const refusal = notSending(claim.state);
  if (refusal) return answers.fail(...refusal);
  if (claim.state !== "claimed") {
    return answers.fail("busy", "This person is with another request.");
  }

  const leaseMs = itemLeaseMs(settings);
  const lease: Lease = { until: claimedAt + leaseMs, renewedAt: -Infinity };
  const sync = connectMautic(context, lease);
  const items = claim.items.map((item) => ({ ...item, address, correlation_id: correlationId }));
  const synced = await whileRenewing({
    ...sync,
    lease,
    everyMs: settings.workerLeaseMs / 3,
    renew: async () => await database.renewLease(holder, leaseMs) > 0,
  }, () => syncLeads({ ...claim, items }, sync));
  const outcomes = synced.map(({ work, enrollment }) => outcome(work, sync.log, enrollment));
  const said = saidBy(sync.run, null);
  await settleSurely(settings.baseUrl, claim.lease_token, outcomes, said, sync);
  return answer(synced[0], answers);
}

/** `claimedAt`: before it was asked for, since its answer may come when the lease has run for a while. */
async function claimPatiently(
  lead: Lead,
  address: string,
  holder: string,
  { database, settings, clock, answers }: ActionContext,
): Promise<{ claim: Claim; claimedAt: number }> {
  const until = clock.now() + busyPatienceMs;
  while (true) {
    const claimedAt = clock.now();
    const claim = await database.claimLead(
      holder,
      settings.baseUrl,
      { id: lead.id, address, payload: lead },
      answers.correlationId,
      itemLeaseMs(settings),
    );
    if (claim.state !== "busy" || clock.now() >= until) return { claim, claimedAt };
    await clock.sleep(busyPauseMs);
  }
}

function answer(synced: Synced | undefined, answers: Answers): Response {
  const work = synced?.work;
  const contactId = work && (contactOf(work)?.id ?? work.item.contact_id);
  if (work?.state === "unsettled" && contactId) {
    const isCreated = work.reach.stage === "saved" && work.reach.created;
    return answers.ok({
      success: true,
      contactId: String(contactId),
      action: isCreated ? "created" : "updated",
      enrolled: synced?.enrollment?.enrolled ?? false,
      enrollmentReason: synced?.enrollment?.reason ?? "disabled",
    });
  }
  const result = work?.state === "settled" ? work.result : undefined;
  return answers.fail(
    result?.error_code ?? "retry_later",
    result?.error_message ?? "The contact was deleted in Mautic; send the lead again.",
  );
}
