import { rowOf } from "./do_not_contact_row.ts";
import { type Reconciliation, rowsPerPage } from "./reconciliation.ts";

/**
 * Reads the whole table where numbers differ, and goes on where a run was out of time. Equal numbers:
 * whatever Mautic has is known, since every row added was read.
 */
export async function scanTable(
  { mautic, database, origin, correlationId, since, scannedUpto, counts, inTime }: Reconciliation,
): Promise<boolean> {
  if (since !== null && scannedUpto === null) {
    const all = { since: 0, afterId: 0, limit: 1 };
    const { total } = await mautic.doNotContactStats(all, correlationId);
    if (total === await database.knownDoNotContact(origin)) return true;
  }
  let afterId = scannedUpto ?? 0;
  while (inTime()) {
    const page = { since: 0, afterId, limit: rowsPerPage };
    const { rows } = await mautic.doNotContactStats(page, correlationId);
    const last = rows.length < rowsPerPage;
    const uptoId = last ? null : rows.at(-1)?.id ?? null;
    const recorded = await database.recordDoNotContact(
      origin,
      rows.map(rowOf),
      { afterId, uptoId },
      correlationId,
    );
    counts.changedLeads += recorded.changed_leads;
    counts.rowsRead += rows.length;
    if (last) return true;
    afterId = uptoId ?? afterId;
  }
  return false;
}
