import { isOurs, kindOfEntry, tidyComment } from "shared/consent/entry.ts";
import { readDelivery } from "shared/consent/read_delivery.ts";
import { type Inbox, inboxEvents } from "shared/database/inbox.ts";
import type { ContactToCheck, Merged, Reconcile } from "shared/database/reconcile.ts";
import type { MauticClient } from "shared/mautic/client.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import type { DoNotContactStat } from "shared/mautic/statistics.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";

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

export interface Reconciled {
  /** `busy`: another run is at it. `out_of_time`: the next run goes on. */
  state: "done" | "busy" | "out_of_time";
  /** Rows of Mautic's do-not-contact table that were read. */
  rowsRead: number;
  /** Contacts read because their row had vanished. */
  contactsChecked: number;
  changedLeads: number;
}

const rowsPerPage = 1_000;
const contactsPerRead = 200;
const rowsPerAssertion = 10_000;
const singleReads = 20;
/** A row's date_added is set before its transaction commits: it can show up late. */
const overlapMs = 10 * 60_000;
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
 * Raises MauticError and DatabaseError; what was read until then stays read.
 */
export async function reconcileConsent(context: ReconcileContext): Promise<Reconciled> {
  const { database, origin, clock, log, budgetMs } = context;
  const result: Reconciled = { state: "done", rowsRead: 0, contactsChecked: 0, changedLeads: 0 };
  const begun = await database.startReconcile(origin, budgetMs + leaseMarginMs);
  if (begun.state === "busy") return { ...result, state: "busy" };

  const end = clock.now() + budgetMs;
  const inTime = () => clock.now() < end;
  try {
    await readAgain(context, result, inTime);
    const complete = await readAdded(context, begun.since, result, inTime) &&
      await sweep(context, begun, result, inTime) &&
      await checkLinks(context, inTime) &&
      await checkContacts(context, result, inTime) &&
      await assertRows(context, result, inTime);
    if (complete) await database.finishReconcile(origin);
    else {
      result.state = "out_of_time";
      await database.abandonReconcile(origin);
    }
  } catch (error) {
    // What failed is what the caller has to hear of.
    await database.abandonReconcile(origin).catch(() => {});
    throw error;
  }
  log.info("consent_reconciled", { ...result });
  return result;
}

/** Deliveries that an operator wants read anew (mautic.replay_webhook). */
async function readAgain(
  { database, correlationId, log }: ReconcileContext,
  result: Reconciled,
  inTime: () => boolean,
): Promise<void> {
  while (inTime()) {
    const delivery = await database.nextUnreadDelivery();
    if (delivery === null) return;
    const reading = readDelivery(JSON.parse(delivery.body));
    const { isTest } = reading;
    const events = inboxEvents(reading);
    const deliveryId = delivery.delivery_id;
    result.changedLeads += await database.replaceEvents(
      deliveryId,
      { events, isTest },
      correlationId,
    );
    log.info("delivery_read_again", { deliveryId, events: events.length, isTest });
  }
}

async function readAdded(
  { mautic, database, origin, correlationId }: ReconcileContext,
  since: string | null,
  result: Reconciled,
  inTime: () => boolean,
): Promise<boolean> {
  // Never read to the end: the sweep below reads all there is.
  if (since === null) return true;
  const from = Math.max(0, Date.parse(since) - overlapMs);
  let afterId = 0;
  while (inTime()) {
    const page = { since: from, afterId, limit: rowsPerPage };
    const { rows } = await mautic.doNotContactStats(page, correlationId);
    if (rows.length > 0) {
      const recorded = await database.recordDoNotContact(
        origin,
        rows.map(row),
        null,
        correlationId,
      );
      result.changedLeads += recorded.changed_leads;
    }
    result.rowsRead += rows.length;
    if (rows.length < rowsPerPage) return true;
    afterId = rows.at(-1)?.id ?? afterId;
  }
  return false;
}

/**
 * Reads the whole table where numbers differ, and goes on where a run was out of time. Equal numbers:
 * whatever Mautic has is known, since every row added was read.
 */
async function sweep(
  { mautic, database, origin, correlationId }: ReconcileContext,
  begun: { since: string | null; swept_upto: number | null },
  result: Reconciled,
  inTime: () => boolean,
): Promise<boolean> {
  if (begun.since !== null && begun.swept_upto === null) {
    const all = { since: 0, afterId: 0, limit: 1 };
    const { total } = await mautic.doNotContactStats(all, correlationId);
    if (total === await database.knownDoNotContact(origin)) return true;
  }
  let afterId = begun.swept_upto ?? 0;
  while (inTime()) {
    const page = { since: 0, afterId, limit: rowsPerPage };
    const { rows } = await mautic.doNotContactStats(page, correlationId);
    const last = rows.length < rowsPerPage;
    const uptoId = last ? null : rows.at(-1)?.id ?? null;
    const recorded = await database.recordDoNotContact(
      origin,
      rows.map(row),
      { afterId, uptoId },
      correlationId,
    );
    result.changedLeads += recorded.changed_leads;
    result.rowsRead += rows.length;
    if (last) return true;
    afterId = uptoId ?? afterId;
  }
  return false;
}

async function checkContacts(
  { mautic, database, origin, correlationId }: ReconcileContext,
  result: Reconciled,
  inTime: () => boolean,
): Promise<boolean> {
  let afterId = 0;
  while (inTime()) {
    const suspects = await database.contactsToCheck(origin, afterId, contactsPerRead);
    if (suspects.length > 0) {
      const ids = suspects.map((suspect) => suspect.contact_id);
      const contacts = await mautic.contactsByIds(ids, correlationId);
      const byId = new Map(contacts.map((contact) => [contact.id, contact]));
      const checked = suspects.flatMap(
        (suspect): (ContactToCheck & { address?: string; result: "lifted" | "gone" })[] => {
          const contact = byId.get(suspect.contact_id);
          // Deleted or merged away, with its entry: no reason to mail the person again.
          if (!contact) return [{ ...suspect, result: "gone" }];
          // Our own entry may have replaced a bounce: Mautic lets 3 take the place of 2.
          const standing = contact.doNotContact.some((entry) =>
            isEmail(entry.channel) &&
            (![null, "subscribed"].includes(kindOfEntry(entry)) || suspect.bounced && isOurs(entry))
          );
          const { email } = contact.fields;
          const address = typeof email === "string" ? { address: email } : {};
          return standing ? [] : [{ ...suspect, ...address, result: "lifted" }];
        },
      );
      if (checked.length > 0) {
        result.changedLeads += await database.settleCheck(origin, checked, correlationId);
      }
      result.contactsChecked += suspects.length;
    }
    if (suspects.length < contactsPerRead) return true;
    afterId = suspects.at(-1)?.contact_id ?? afterId;
  }
  return false;
}

async function checkLinks(
  { mautic, database, origin, correlationId }: ReconcileContext,
  inTime: () => boolean,
): Promise<boolean> {
  const ids = await database.linksToCheck(origin, contactsPerRead);
  const contacts = ids.length > 0 ? await mautic.contactsByIds(ids, correlationId) : [];
  const found = new Set(contacts.map((contact) => contact.id));
  const missing = ids.filter((id) => !found.has(id));
  // One request each: what is left over waits for its next turn.
  const asked = missing.slice(0, singleReads);
  const merged: Merged[] = [];
  for (const id of asked) {
    if (!inTime()) return false;
    const survivor = await survivorOf(id, mautic, correlationId);
    if (survivor) merged.push({ loser: id, ...survivor });
  }
  const isAll = ids.length < contactsPerRead && asked.length === missing.length;
  const last = asked.length < missing.length ? asked.at(-1) : ids.at(-1);
  await database.settleLinks(origin, isAll ? 0 : last ?? 0, merged);
  return true;
}

/** The contact that one was merged into; none when it is there after all, or was deleted. */
async function survivorOf(
  id: number,
  mautic: ReconcileContext["mautic"],
  correlationId: string,
): Promise<{ survivor: number; address: string } | undefined> {
  try {
    const contact = await mautic.getContact(id, correlationId);
    if (contact.id === id) return undefined;
    return { survivor: contact.id, address: contactAddress(contact) };
  } catch (error) {
    if (error instanceof MauticError && error.code === "not_found") return undefined;
    throw error;
  }
}

async function assertRows(
  { database, origin, correlationId }: ReconcileContext,
  result: Reconciled,
  inTime: () => boolean,
): Promise<boolean> {
  let afterId = 0;
  while (inTime()) {
    const page = await database.assertDoNotContact(
      origin,
      afterId,
      rowsPerAssertion,
      correlationId,
    );
    result.changedLeads += page.changed_leads;
    if (page.upto_id === null) return true;
    afterId = page.upto_id;
  }
  return false;
}

function row(found: DoNotContactStat) {
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

function isEmail(channel: string): boolean {
  return channel.trim().toLowerCase() === "email";
}
