import { rowOf } from "./do_not_contact_row.ts";
import { type Reconciliation, rowsPerPage } from "./reconciliation.ts";

/** A row's date_added is set before its transaction commits: it can show up late. */
const overlapMs = 10 * 60_000;

/** Reads the rows that were added since the last run: one request where nothing happened. */
export async function readAdded(
  { mautic, database, origin, correlationId, since, counts, inTime }: Reconciliation,
): Promise<boolean> {
  // Never read to the end: the scan that follows reads all there is.
  if (since === null) return true;
  const from = Math.max(0, Date.parse(since) - overlapMs);
  let afterId = 0;
  while (inTime()) {
    const page = { since: from, afterId, limit: rowsPerPage };
    const { rows } = await mautic.doNotContactStats(page, correlationId);
    if (rows.length > 0) {
      const recorded = await database.recordDoNotContact(
        origin,
        rows.map(rowOf),
        null,
        correlationId,
      );
      counts.changedLeads += recorded.changed_leads;
    }
    counts.rowsRead += rows.length;
    if (rows.length < rowsPerPage) return true;
    afterId = rows.at(-1)?.id ?? afterId;
  }
  return false;
}
