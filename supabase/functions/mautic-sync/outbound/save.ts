import type { BatchEntry } from "shared/mautic/batch.ts";
import { contactAddress } from "shared/mautic/contact_schema.ts";
import type { ContactBody } from "shared/mautic/contacts.ts";
import { wrongShape } from "shared/mautic/transport/answer_errors.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { adaptBatchSize, shrinkBatchSize } from "./batch_size.ts";
import { bisect } from "./bisect.ts";
import { failed, isTrouble } from "./failure.ts";
import {
  type Addressed,
  askedId,
  type Prepared,
  type Read,
  type Unsettled,
  type Work,
} from "./item.ts";
import type { SyncContext } from "./run.ts";

/** An item whose contact has an id: to be edited by it. */
export type Editable = Unsettled<Addressed | Read>;

/** The fields of a contact as Mautic takes them: blanks only with the flag that makes it heed them. */
function body({ fields: { delta } }: Unsettled): ContactBody {
  if (delta.blanks.length === 0) return delta.fields;
  const blanks = Object.fromEntries(delta.blanks.map((alias) => [alias, ""]));
  return { ...delta.fields, ...blanks, overwriteWithBlank: true };
}

/** Creates contacts, in batches; alone where it is one. Mautic matches them by address (upsert). */
export function saveNew(works: Unsettled<Prepared>[], context: SyncContext): Promise<Work[]> {
  const { mautic } = context;
  return saveInBatches(works, context, {
    one: async (work) => entry(await mautic.createContact(body(work), work.item.correlation_id)),
    many: async (batch) => {
      const entries = await mautic.batchNew(batch.map(body), correlation(batch));
      return batch.map((work, index) => unlessAnothers(entries[index] ?? missing, work, batch));
    },
  });
}

/** An answer with another person of the batch is in the wrong place: the lead is looked up. */
function unlessAnothers(given: BatchEntry, work: Unsettled, batch: Unsettled[]): BatchEntry {
  if (given.status === "failed") return given;
  const answered = contactAddress(given.contact);
  if (answered === work.address || !batch.some(({ address }) => address === answered)) return given;
  return {
    status: "failed",
    error: wrongShape("an item of the batch shows another one's contact", { changes: true }),
  };
}

/** Edits contacts by id. The caller has seen to it that no id comes twice. */
export function saveEdits(works: Editable[], context: SyncContext): Promise<Work[]> {
  const { mautic } = context;
  return saveInBatches(works, context, {
    one: async (work) => {
      const { reach, item } = work;
      const contact = await mautic.editContact(reach.contactId, body(work), item.correlation_id);
      return entry({ created: false, contact });
    },
    many: (batch) =>
      mautic.batchEdit(
        batch.map((work) => ({ ...body(work), id: work.reach.contactId })),
        correlation(batch),
      ),
  });
}

interface Calls<T extends Unsettled> {
  one(work: T): Promise<BatchEntry>;
  many(batch: T[]): Promise<BatchEntry[]>;
}

function entry(saved: Omit<Extract<BatchEntry, { status: "saved" }>, "status">): BatchEntry {
  return { status: "saved", ...saved };
}

const missing: BatchEntry = {
  status: "failed",
  error: wrongShape("an item of the batch is missing", { changes: true }),
};

/** A batch carries the id of its first lead's change; each lead's own is in the log beside it. */
function correlation(batch: Unsettled[]): string | undefined {
  return batch[0]?.item.correlation_id;
}

async function saveInBatches<T extends Unsettled>(
  works: T[],
  context: SyncContext,
  calls: Calls<T>,
): Promise<Work[]> {
  // Whose answer was lost again and again may be the cause: alone, and after the others.
  const suspects = works.filter(isSuspect);
  const others = works.filter((work) => !isSuspect(work));
  const saved: Work[] = [];
  for (let from = 0; from < others.length;) {
    const batch = others.slice(from, from + context.run.batchSize);
    from += batch.length;
    saved.push(...await saveBatch(batch, context, calls));
  }
  for (const work of suspects) saved.push(...await saveBatch([work], context, calls));
  return saved;
}

function isSuspect({ item }: Unsettled): boolean {
  return item.ambiguous && item.attempt > 2;
}

function saveBatch<T extends Unsettled>(
  batch: T[],
  context: SyncContext,
  calls: Calls<T>,
): Promise<Work[]> {
  return bisect(batch, context, {
    step: "save",
    scope: "run",
    send: (some, isPart) => send(some, isPart, context, calls),
    isPerhapsItsDoing: (error, work) => error.ambiguous && isSuspect(work),
    // Some items may be saved. Mautic matches creates by address and edits are by id, so halves may
    // be sent again at once.
    whenSplit: (work) => ({ ...work, mayBeDone: true }),
  });
}

/** The last item of a batch that failed goes as a batch too: it is not retried within the request. */
async function send<T extends Unsettled>(
  batch: T[],
  isPart: boolean,
  context: SyncContext,
  { one, many }: Calls<T>,
): Promise<Work[]> {
  const { clock } = context;
  const startedAt = clock.now();
  const [only, ...others] = batch;
  try {
    const isSingle = only !== undefined && others.length === 0 && !isPart;
    const entries = isSingle ? [await one(only)] : await many(batch);
    adaptBatchSize(context, { leads: batch.length, elapsedMs: clock.now() - startedAt });
    return batch.map((work, index) => taken(work, entries[index] ?? missing, context));
  } catch (error) {
    if (error instanceof MauticError && isTooMuch(error, batch)) shrinkBatchSize(context);
    throw error;
  }
}

/** May it have been the size of the batch? A 500 or a lost answer of a lone suspect is its own. */
function isTooMuch(error: MauticError, batch: Unsettled[]): boolean {
  if (error.code === "server_failed") return batch.length > 1;
  const [first] = batch;
  if (error.ambiguous && batch.length === 1 && first && isSuspect(first)) return false;
  return isTrouble(error) && (error.ambiguous || (error.status ?? 0) >= 500);
}

function taken(work: Unsettled, answered: BatchEntry, context: SyncContext): Work {
  if (answered.status === "failed") return failed(work, answered.error, context, null);
  const { contact, created } = answered;
  return { ...work, reach: { stage: "saved", contactId: askedId(work) ?? null, contact, created } };
}
