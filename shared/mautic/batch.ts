import type { z } from "zod";
import { errorOfItem, wrongShape } from "./answer_errors.ts";
import type { MauticError } from "./errors.ts";
import {
  type batchAnswer,
  contactSchema,
  entriesOf,
  type MauticContact,
  wireError,
} from "./wire.ts";

/** What became of one item of a batch. */
export type BatchEntry =
  | { status: "saved"; created: boolean; contact: MauticContact }
  | { status: "failed"; error: MauticError };

/** Mautic's own limit; more is a 500 (recorded: batch-new-201; docs/mautic.md, "Batches"). */
const maxBatchItems = 200;

/** RangeError above Mautic's limit. */
export function requireSize(items: unknown[]): void {
  if (items.length > maxBatchItems) {
    throw new RangeError(`A batch has ${items.length} items, Mautic takes ${maxBatchItems}.`);
  }
}

/**
 * RangeError without an address: `{}` would become an empty contact (recorded:
 * batch-new-empty-object-item; docs/mautic.md, "Saving a contact").
 */
export function requireEmail(items: Record<string, unknown>[]): void {
  if (items.some(({ email }) => typeof email !== "string" || email === "")) {
    throw new RangeError("A contact to create needs an email.");
  }
}

/**
 * RangeError where an id is missing or comes twice. Without an id the item's values go to the next
 * item's contact; an id that comes twice makes a second contact (docs/mautic.md, "Batches").
 */
export function requireIds(items: { id: number }[]): void {
  const ids = new Set(items.map(({ id }) => id));
  if (ids.size !== items.length || items.some(({ id }) => !Number.isInteger(id) || id < 1)) {
    throw new RangeError("Every item of a batch edit needs an id, and no id may come twice.");
  }
}

/**
 * What became of the item at `index`. Only `statusCodes` tells: a failed edit is still listed among
 * the contacts, and the lists turn into objects where an index is missing, e.g. into
 * `{"0": …, "2": …}` where item 1 failed (docs/mautic.md, "Batches").
 */
export function batchEntry(answer: z.infer<typeof batchAnswer>, index: number): BatchEntry {
  const key = String(index);
  const status = new Map(Object.entries(answer.statusCodes)).get(key);
  if (status !== undefined && (status < 200 || status >= 300)) {
    const error = new Map(entriesOf(answer.errors)).get(key);
    return { status: "failed", error: errorOfItem(status, wireError(error)) };
  }
  const contact = contactSchema.safeParse(new Map(entriesOf(answer.contacts)).get(key));
  if (status === undefined || !contact.success) {
    const error = wrongShape(`item ${index} of the batch is missing`, { changes: true });
    return { status: "failed", error };
  }
  return { status: "saved", created: status === 201, contact: contact.data };
}
