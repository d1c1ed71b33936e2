import type { Inbox } from "shared/database/inbox.ts";
import type { Reconcile } from "shared/database/reconcile.ts";
import type { MauticClient } from "shared/mautic/client.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";

/** What a reconciliation needs from outside. */
export interface ReconcileContext {
  mautic: Pick<MauticClient, "doNotContactStats" | "contactsByIds" | "getContact">;
  database: Reconcile & Pick<Inbox, "nextUnreadDelivery" | "replaceEvents">;
  /** The base URL under which contacts are linked (settings.baseUrl). */
  origin: string;
  clock: Clock;
  log: Log;
  correlationId: string;
  /** No page is begun later than this, in milliseconds after the start. */
  budgetMs: number;
}

/**
 * One run on its way through the steps. A step returns whether it came to its end: false where the
 * time was over before.
 */
export interface Reconciliation extends ReconcileContext {
  /** Until when earlier runs have read every row that was added; null: never to the end. */
  since: string | null;
  /** Up to which id an earlier run has scanned the table; null: no scan is under way. */
  scannedUpto: number | null;
  /** What was done so far. */
  counts: Counts;
  inTime(): boolean;
}

export interface Counts {
  /** Rows of Mautic's do-not-contact table that were read. */
  rowsRead: number;
  /** Contacts read because their row had vanished. */
  contactsChecked: number;
  changedLeads: number;
}

export interface Reconciled extends Counts {
  /** `busy`: another run is at it. `out_of_time`: the next run goes on. */
  state: "done" | "busy" | "out_of_time";
}

/** Rows of the do-not-contact table that are in memory at a time. */
export const rowsPerPage = 1_000;

/** Contacts that are read by one request. */
export const contactsPerRead = 200;
