import { z } from "zod";
import { errorOfItem, wrongShape } from "shared/mautic/transport/answer_errors.ts";
import { wireError } from "shared/mautic/transport/error_shapes.ts";
import type { MauticError } from "shared/mautic/transport/errors.ts";
import { entriesOf } from "shared/mautic/transport/json.ts";
import type { Api, ApiRequest } from "shared/mautic/transport/request.ts";
import { contactSchema, type MauticContact } from "./contact_schema.ts";
import { type ContactBody, requireEmail } from "./contacts.ts";

const batchAnswer = z.object({
  contacts: z.unknown().optional(),
  statusCodes: z.union([z.array(z.number()), z.record(z.string(), z.number())]),
  errors: z.unknown().optional(),
});

/** What became of one item of a batch. */
export type BatchEntry =
  | { status: "saved"; created: boolean; contact: MauticContact }
  | { status: "failed"; error: MauticError };

/** Mautic's own limit; more is a 500 (recorded: batch-new-201; docs/mautic.md, "Batches"). */
const maxBatchItems = 200;

/** @throws {RangeError} above Mautic's limit */
function requireSize(items: unknown[]): void {
  if (items.length > maxBatchItems) {
    throw new RangeError(`A batch has ${items.length} items, Mautic takes ${maxBatchItems}.`);
  }
}

/**
 * Without an id the item's values go to the next item's contact; an id that comes twice makes a
 * second contact (docs/mautic.md, "Batches").
 *
 * @throws {RangeError} where an id is missing or comes twice
 */
function requireIds(items: { id: number }[]): void {
  const ids = new Set(items.map(({ id }) => id));
  if (ids.size !== items.length || items.some(({ id }) => !Number.isInteger(id) || id < 1)) {
    throw new RangeError("Every item of a batch edit needs an id, and no id may come twice.");
  }
}

/** Contacts by the batch: up to 200 in one request, each with an answer of its own. */
export function batchCalls(api: Api) {
  async function batch(
    items: ContactBody[],
    request: Pick<ApiRequest, "method" | "path" | "policy" | "correlationId">,
  ): Promise<BatchEntry[]> {
    if (items.length === 0) return [];
    requireSize(items);
    const { data } = await api({ ...request, body: items, items: items.length }, batchAnswer);
    return items.map((_, index) => batchEntry(data, index));
  }

  return {
    /**
     * Creates contacts, or edits those with these addresses: as `createContact()` for up to 200.
     * Entries are in the order of the items.
     *
     * @throws {RangeError} where an item has no address, or above 200
     */
    async batchNew(items: ContactBody[], correlationId?: string): Promise<BatchEntry[]> {
      requireEmail(items);
      const path = "/api/contacts/batch/new";
      return await batch(items, { method: "POST", path, policy: "batch", correlationId });
    },

    /**
     * Edits up to 200 contacts by id. Where an id is missing or comes twice Mautic would write one
     * person's data onto another, or save a duplicate (docs/mautic.md, "Batches").
     *
     * @throws {RangeError} where an id is missing or comes twice, or above 200
     */
    async batchEdit(
      items: (ContactBody & { id: number })[],
      correlationId?: string,
      policy: "batch" | "fresh" = "batch",
    ): Promise<BatchEntry[]> {
      requireIds(items);
      const path = "/api/contacts/batch/edit";
      return await batch(items, { method: "PATCH", path, policy, correlationId });
    },
  };
}

/**
 * What became of the item at `index`. Only `statusCodes` tells: a failed edit is still listed among
 * the contacts, and the lists turn into objects where an index is missing, e.g. into
 * `{"0": …, "2": …}` where item 1 failed (docs/mautic.md, "Batches").
 */
function batchEntry(answer: z.infer<typeof batchAnswer>, index: number): BatchEntry {
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
