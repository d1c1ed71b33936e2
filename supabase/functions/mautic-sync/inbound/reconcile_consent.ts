import { assertRows } from "./assert_rows.ts";
import { checkContacts } from "./check_contacts.ts";
import { checkLinks } from "./check_links.ts";
import { readAdded } from "./read_added.ts";
import { readAgain } from "./read_again.ts";
import type { Counts, ReconcileContext, Reconciled, Reconciliation } from "./reconciliation.ts";
import { scanTable } from "./scan_table.ts";

const leaseMarginMs = 60_000;

/**
 * Brings email_status in line with Mautic's do-not-contact table, for what no webhook told.
 *
 * 1. Rows added since the last run (one request where nothing happened).
 * 2. Mautic's number of rows against ours; where they differ some vanished, and the table is read
 *    from end to end, a page in memory at a time.
 * 3. Some of the linked contacts, in turns: leads of one that was merged away become the survivor's.
 * 4. Contacts that are do-not-contact here and have no row there are read, 200 a request: where
 *    they have no entry the status is lifted.
 * 5. Leads whose status does not agree with a row that stands there are given it.
 *
 * What was read until an error stays read.
 *
 * @throws {MauticError} where Mautic fails
 * @throws {DatabaseError} where the database fails
 */
export async function reconcileConsent(context: ReconcileContext): Promise<Reconciled> {
  const { database, origin, clock, log, budgetMs } = context;
  const counts: Counts = { rowsRead: 0, contactsChecked: 0, changedLeads: 0 };
  const begun = await database.startReconcile(origin, budgetMs + leaseMarginMs);
  if (begun.state === "busy") return { state: "busy", ...counts };

  const end = clock.now() + budgetMs;
  const inTime = () => clock.now() < end;
  const { since, scanned_upto: scannedUpto } = begun;
  const run: Reconciliation = { ...context, since, scannedUpto, counts, inTime };
  let complete: boolean;
  try {
    await readAgain(run);
    complete = await readAdded(run) && await scanTable(run) && await checkLinks(run) &&
      await checkContacts(run) && await assertRows(run);
    await (complete ? database.finishReconcile(origin) : database.abandonReconcile(origin));
  } catch (error) {
    // What failed is what the caller has to hear of.
    await database.abandonReconcile(origin).catch(() => {});
    throw error;
  }
  const reconciled: Reconciled = { state: complete ? "done" : "out_of_time", ...counts };
  log.info("consent_reconciled", { ...reconciled });
  return reconciled;
}
