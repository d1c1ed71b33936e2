import type { Reconciliation } from "./reconciliation.ts";

const rowsPerAssertion = 10_000;

/** Gives leads whose status does not agree with a row of the table what the row says. */
export async function assertRows(
  { database, origin, correlationId, counts, inTime }: Reconciliation,
): Promise<boolean> {
  let afterId = 0;
  while (inTime()) {
    const page = await database.assertDoNotContact(
      origin,
      afterId,
      rowsPerAssertion,
      correlationId,
    );
    counts.changedLeads += page.changed_leads;
    if (page.upto_id === null) return true;
    afterId = page.upto_id;
  }
  return false;
}
