import { isEmail, kindOfEntry, tidyComment } from "shared/consent/entry.ts";
import type { DoNotContactRow } from "shared/database/reconcile.ts";
import type { DoNotContactStat } from "shared/mautic/statistics.ts";

/** A row of Mautic's table as mautic.record_do_not_contact() takes it. */
export function rowOf(found: DoNotContactStat): DoNotContactRow {
  const { id, contactId, channel, comments } = found;
  const kind = isEmail(channel) ? kindOfEntry(found) : null;
  return {
    id,
    contact_id: contactId,
    channel,
    kind: kind === "subscribed" ? null : kind,
    detail: comments ? { comments: tidyComment(comments) } : {},
    added_at: found.addedAt,
  };
}
