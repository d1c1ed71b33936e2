import { DatabaseError } from "shared/database/call.ts";
import type { BatchEntry } from "shared/mautic/batch.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import type { ContactBody } from "shared/mautic/contacts.ts";
import { wrongShape } from "shared/mautic/transport/answer_errors.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { fail, failInDatabase, halt, isTrouble, postpone } from "./failure.ts";
import type { Work } from "./item.ts";
import type { SyncContext } from "./run.ts";

/** The fields of a contact as Mautic takes them: blanks only with the flag that makes it heed them. */
function body(work: Work): ContactBody {
  if (work.delta.blanks.length === 0) return work.delta.fields;
  const blanks = Object.fromEntries(work.delta.blanks.map((alias) => [alias, ""]));
  return { ...work.delta.fields, ...blanks, overwriteWithBlank: true };
}

/** Creates contacts, in batches; alone where it is one. Mautic matches them by address (upsert). */
export function sendCreates(works: Work[], context: SyncContext): Promise<void> {
  return sendInBatches(works, context, {
    one: async (work) =>
      entry(await context.mautic.createContact(body(work), work.item.correlation_id)),
    many: async (batch) => {
      const entries = await context.mautic.batchNew(batch.map(body), correlation(batch));
      return entries.map((each, index) => unlessAnothers(each, batch[index]!, batch));
    },
  });
}

/** An answer that shows another person of the batch is in the wrong place: the lead is looked up. */
function unlessAnothers(given: BatchEntry, work: Work, batch: Work[]): BatchEntry {
  if (given.status === "failed") return given;
  const shown = contactAddress(given.contact);
  if (shown === work.address || !batch.some(({ address }) => address === shown)) return given;
  return {
    status: "failed",
    error: wrongShape("an item of the batch shows another one's contact", { changes: true }),
  };
}

/** Edits contacts by id. The caller has seen to it that no id comes twice. */
export function sendEdits(works: Work[], context: SyncContext): Promise<void> {
  return sendInBatches(works, context, {
    one: async (work) =>
      entry({
        created: false,
        contact: await context.mautic.editContact(
          work.contactId!,
          body(work),
          work.item.correlation_id,
        ),
      }),
    many: (batch) =>
      context.mautic.batchEdit(
        batch.map((work) => ({ ...body(work), id: work.contactId! })),
        correlation(batch),
      ),
  });
}

interface Calls {
  one(work: Work): Promise<BatchEntry>;
  many(batch: Work[]): Promise<BatchEntry[]>;
}

function entry(saved: Omit<Extract<BatchEntry, { status: "saved" }>, "status">): BatchEntry {
  return { status: "saved", ...saved };
}

/** A batch carries the id of its first lead's change; each lead's own is in the log beside it. */
function correlation(batch: Work[]): string {
  return batch[0]!.item.correlation_id;
}

async function sendInBatches(works: Work[], context: SyncContext, calls: Calls): Promise<void> {
  // Whose answer was lost again and again may be the cause: alone, and after the others.
  const suspects = works.filter(isSuspect);
  let rest = works.filter((work) => !isSuspect(work));
  while (rest.length > 0) {
    const batch = rest.slice(0, context.run.batchSize);
    rest = rest.slice(batch.length);
    await sendBatch(batch, context, calls);
  }
  for (const work of suspects) await sendBatch([work], context, calls);
}

function isSuspect({ item }: Work): boolean {
  return item.ambiguous && item.attempt > 2;
}

/** `split`: a part of a batch that failed; its last item alone is not retried within the request. */
async function sendBatch(
  batch: Work[],
  context: SyncContext,
  calls: Calls,
  split = false,
): Promise<void> {
  const { run, clock } = context;
  if (run.halt) return batch.forEach((work) => postpone(work, context));
  const startedAt = clock.now();
  try {
    const [first] = batch;
    const single = first && batch.length === 1 && !split;
    const entries = single ? [await calls.one(first)] : await calls.many(batch);
    batch.forEach((work, index) => take(work, entries[index]!, context));
    run.failedAlone = 0;
    run.passed.add("save");
    run.answered = true;
    adaptBatchSize(context, { leads: batch.length, elapsedMs: clock.now() - startedAt });
  } catch (error) {
    if (error instanceof DatabaseError) return failInDatabase(batch, error, context);
    if (!(error instanceof MauticError)) throw error;
    if (error.code === "server_failed" && batch.length > 1) {
      // 500 for the whole call, some items may be saved: one item may be the cause. Mautic
      // matches creates by address and edits are by id, so halves may be sent again at once.
      shrinkBatchSize(context);
      for (const work of batch) work.mayBeDone = true;
      const middle = Math.ceil(batch.length / 2);
      await sendBatch(batch.slice(0, middle), context, calls, true);
      await sendBatch(batch.slice(middle), context, calls, true);
      return;
    }
    const [first] = batch;
    if (
      error.code === "server_failed" || error.ambiguous && batch.length === 1 && isSuspect(first!)
    ) {
      run.failedAlone += 1;
      // Two that fail alone with nothing in between that passed: it is not the items.
      if (run.failedAlone >= 2 && !run.passed.has("save")) halt(context, error);
    } else if (isTrouble(error)) {
      halt(context, error);
      if (error.ambiguous || (error.status ?? 0) >= 500) shrinkBatchSize(context);
    }
    for (const work of batch) {
      work.failedStep = "save";
      fail(work, error, context);
    }
  }
}

function take(work: Work, answered: BatchEntry, context: SyncContext): void {
  if (answered.status === "failed") return fail(work, answered.error, context);
  work.sent = true;
  work.contact = answered.contact;
  work.created = answered.created;
}

/** Grows while there is time for more: as many as a third of the time limit is enough for. */
function adaptBatchSize(
  { run, settings }: SyncContext,
  { leads, elapsedMs }: { leads: number; elapsedMs: number },
): void {
  const enoughMs = settings.requestTimeoutMs / 3;
  if (elapsedMs > enoughMs) return shrinkBatchSize({ run, settings });
  const fitting = Math.floor(leads * enoughMs / Math.max(elapsedMs, 1));
  run.batchSize = Math.min(
    settings.batchSize,
    Math.max(run.batchSize, Math.min(run.batchSize + 5, fitting)),
  );
}

function shrinkBatchSize({ run, settings }: Pick<SyncContext, "run" | "settings">): void {
  run.batchSize = Math.max(Math.min(5, settings.batchSize), Math.floor(run.batchSize / 2));
}
