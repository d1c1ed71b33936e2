import type { Log } from "shared/runtime/log.ts";
import type { Enrollment } from "./enroll.ts";
import { contactOf, type Work } from "./item.ts";
import { actionOf } from "./outcome.ts";
import type { Preparation } from "./prepare.ts";

/** Says which values of a lead could not be read, and which texts were too long for their fields. */
export function reportPrepared({ work, cut }: Preparation, log: Log): void {
  const { lead_id: leadId, payload } = work.item;
  const names = payload?.unreadable ?? [];
  if (names.length > 0) log.warn("lead_unreadable", { leadId, names });
  for (const { alias, length, limit } of cut) {
    log.warn("field_cut", { leadId, field: alias, length, limit });
  }
}

/** Says what became of an item. */
export function reportSynced(
  work: Work,
  enrollment: Enrollment | undefined,
  log: Log,
): void {
  const { item } = work;
  const values = {
    correlationId: item.correlation_id,
    leadId: item.lead_id,
    contactId: contactOf(work)?.id ?? item.contact_id,
  };
  if (work.state === "settled" && work.result.result !== "done") {
    const { result: outcome, error_code: code, error_message: reason } = work.result;
    log.warn("lead_not_synced", { ...values, outcome, code, reason, attempt: item.attempt });
  } else {
    log.info("lead_synced", { ...values, action: actionOf(work), enrollment: enrollment?.reason });
  }
}
