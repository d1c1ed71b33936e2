import { z } from "zod";
import { normalizeAddress } from "shared/lead/address.ts";
import type { Api } from "shared/mautic/transport/request.ts";
import {
  contactAddress,
  contactAnswer,
  contactsAnswer,
  type MauticContact,
} from "./contact_schema.ts";

/** Fields by alias, and Mautic's own keys such as `overwriteWithBlank` and `doNotContact`. */
export type ContactBody = Record<string, unknown>;

const idsPerRead = 200;
const addressesPerRead = 50;

/**
 * Without an address `{}` would become an empty contact (recorded: batch-new-empty-object-item;
 * docs/mautic.md, "Saving a contact").
 *
 * @throws {RangeError} where an item has no address
 */
export function requireEmail(items: ContactBody[]): void {
  if (items.some(({ email }) => typeof email !== "string" || email === "")) {
    throw new RangeError("A contact to create needs an email.");
  }
}

/** One contact at a time, and finding them. */
export function contactCalls(api: Api) {
  async function list(
    query: Record<string, string>,
    correlationId: string | undefined,
  ): Promise<MauticContact[]> {
    const request = { method: "GET", path: "/api/contacts", query, policy: "read" } as const;
    return (await api({ ...request, correlationId }, contactsAnswer)).data;
  }

  return {
    /**
     * Creates a contact, or edits the one with this address (`created` false).
     *
     * @throws {RangeError} without an address
     */
    async createContact(
      fields: ContactBody,
      correlationId?: string,
    ): Promise<{ created: boolean; contact: MauticContact }> {
      requireEmail([fields]);
      const path = "/api/contacts/new";
      const request = { method: "POST", path, body: fields, policy: "save", items: 1 } as const;
      const { status, data } = await api({ ...request, correlationId }, contactAnswer);
      return { created: status === 201, contact: data.contact };
    },

    /** The contacts with one of these addresses, by ascending id; duplicates included. */
    async findByEmail(addresses: string[], correlationId?: string): Promise<MauticContact[]> {
      const found = [];
      const plain = addresses.filter((address) => !address.includes("'"));
      for (const some of chunks(plain, addressesPerRead)) {
        const where = { "where[0][col]": "email", "where[0][expr]": "in", limit: "1000" };
        found.push(...await list({ ...where, "where[0][val]": some.join(",") }, correlationId));
      }
      // Mautic 5 and 6 escape the value as HTML, so that `o'neil@…` is never found (docs/mautic.md,
      // "Reading and finding"): any sign is looked for in place of the quote.
      for (const address of addresses.filter((each) => each.includes("'"))) {
        const where = { "where[0][col]": "email", "where[0][expr]": "like", limit: "1000" };
        const like = { ...where, "where[0][val]": address.replaceAll("'", "_") };
        found.push(
          ...(await list(like, correlationId)).filter((contact) =>
            contactAddress(contact) === normalizeAddress(address)
          ),
        );
      }
      return found.sort((a, b) => a.id - b.id);
    },

    /** The contacts with these ids; deleted and merged-away ones are left out by Mautic. */
    async contactsByIds(ids: number[], correlationId?: string): Promise<MauticContact[]> {
      const found = [];
      for (const some of chunks([...new Set(ids)], idsPerRead)) {
        found.push(...await list({ search: `ids:${some.join(",")}`, limit: "200" }, correlationId));
      }
      return found;
    },

    /**
     * Those of these contacts whose number field holds one of these values. The condition sees the
     * decimals that answers leave out (docs/mautic.md, "Values").
     */
    async idsHolding(
      ids: number[],
      alias: string,
      values: number[],
      correlationId?: string,
    ): Promise<number[]> {
      const found = [];
      for (const some of chunks([...new Set(ids)], idsPerRead)) {
        const query = {
          "where[0][col]": "id",
          "where[0][expr]": "in",
          "where[0][val]": some.join(","),
          "where[1][col]": alias,
          "where[1][expr]": "in",
          "where[1][val]": [...new Set(values)].join(","),
          limit: "200",
        };
        found.push(...await list(query, correlationId));
      }
      return found.map(({ id }) => id);
    },

    /** The contact; another id than asked for: it was merged into that one. */
    async getContact(id: number, correlationId?: string): Promise<MauticContact> {
      const path = `/api/contacts/${id}`;
      const request = { method: "GET", path, policy: "read", correlationId } as const;
      return (await api(request, contactAnswer)).data.contact;
    },

    /** Edits by id, leaving what is not in `body`; another id in the answer: merged into that. */
    async editContact(
      id: number,
      body: ContactBody,
      correlationId?: string,
    ): Promise<MauticContact> {
      const path = `/api/contacts/${id}/edit`;
      const request = { method: "PATCH", path, body, policy: "save", items: 1 } as const;
      return (await api({ ...request, correlationId }, contactAnswer)).data.contact;
    },

    /**
     * Deletes a contact for good. Read it right before: the id of a merged contact deletes the one
     * it was merged into. `not_found`: it was gone already.
     */
    async deleteContact(id: number, correlationId?: string): Promise<void> {
      const path = `/api/contacts/${id}/delete`;
      const request = { method: "DELETE", path, policy: "save", correlationId } as const;
      // The answer shows the contact, its id already null.
      await api(request, z.object({ contact: z.unknown() }));
    },
  };
}

function chunks<T>(items: T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, index) => items.slice(index * size, (index + 1) * size),
  );
}
