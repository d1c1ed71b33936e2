import { normalizeAddress } from "../address.ts";
import { z } from "zod";
import { type DoNotContactEntry, manualReason } from "../consent_decider.ts";
import { type BatchEntry, batchEntry, requireEmail, requireIds, requireSize } from "./batch.ts";
import { type ApiRequest, callApi, type MauticClientOptions } from "./request.ts";
import * as wire from "./wire.ts";

export type { BatchEntry } from "./batch.ts";
export type { MauticClientOptions } from "./request.ts";

/** Fields by alias, and Mautic's own keys such as `overwriteWithBlank` and `doNotContact`. */
export type ContactBody = Record<string, unknown>;

export type MauticClient = ReturnType<typeof createMauticClient>;

const idsPerRead = 200;
const addressesPerRead = 50;

/**
 * Mautic's REST API, as far as the sync needs it. Each method raises MauticError (and what the
 * token store raises); the last parameter is the correlation id of the change it is for. What is
 * sent again after a failure is each method's {@link ApiRequest.policy}.
 */
export function createMauticClient(options: MauticClientOptions) {
  async function call<T>(request: ApiRequest, shape: z.ZodType<T>): Promise<T> {
    return (await callApi(request, shape, options)).data;
  }

  async function batch(
    items: ContactBody[],
    request: Pick<ApiRequest, "method" | "path" | "correlationId"> & { policy?: "batch" | "fresh" },
  ): Promise<BatchEntry[]> {
    if (items.length === 0) return [];
    requireSize(items);
    const answer = await call(
      { policy: "batch", ...request, body: items, items: items.length },
      wire.batchAnswer,
    );
    return items.map((_, index) => batchEntry(answer, index));
  }

  async function contacts(query: Record<string, string>, correlationId?: string) {
    return await call(
      { method: "GET", path: "/api/contacts", query, policy: "read", correlationId },
      wire.contactsAnswer,
    );
  }

  return {
    /** Reaches Mautic with a token; its version is in a header of every answer of the API. */
    async version(correlationId?: string): Promise<{ version: string | null }> {
      const { headers } = await callApi(
        {
          method: "GET",
          path: "/api/contacts",
          query: { limit: "1", minimal: "1" },
          policy: "read",
          correlationId,
        },
        z.object({ contacts: z.unknown() }),
        options,
      );
      return { version: headers.get("Mautic-Version") };
    },

    /** Creates a contact, or edits the one with this address (`created` false). */
    async createContact(
      fields: ContactBody,
      correlationId?: string,
    ): Promise<{ created: boolean; contact: wire.MauticContact }> {
      requireEmail([fields]);
      const { status, data } = await callApi(
        {
          method: "POST",
          path: "/api/contacts/new",
          body: fields,
          policy: "save",
          items: 1,
          correlationId,
        },
        wire.contactAnswer,
        options,
      );
      return { created: status === 201, contact: data.contact };
    },

    /** As {@link createContact} for up to 200; entries in the order of the items. */
    async batchNew(items: ContactBody[], correlationId?: string): Promise<BatchEntry[]> {
      requireEmail(items);
      return await batch(items, { method: "POST", path: "/api/contacts/batch/new", correlationId });
    },

    /**
     * Edits up to 200 contacts by id. RangeError where an id is missing or comes twice: Mautic
     * would write one person's data onto another, or save a duplicate (docs/mautic.md, "Batches").
     */
    async batchEdit(
      items: (ContactBody & { id: number })[],
      correlationId?: string,
      policy: "batch" | "fresh" = "batch",
    ): Promise<BatchEntry[]> {
      requireIds(items);
      return await batch(items, {
        method: "PATCH",
        path: "/api/contacts/batch/edit",
        policy,
        correlationId,
      });
    },

    /** The contacts with one of these addresses, by ascending id; duplicates included. */
    async findByEmail(
      addresses: string[],
      correlationId?: string,
    ): Promise<wire.MauticContact[]> {
      const found = [];
      const plain = addresses.filter((address) => !address.includes("'"));
      for (const some of chunks(plain, addressesPerRead)) {
        const where = { "where[0][col]": "email", "where[0][expr]": "in", limit: "1000" };
        found.push(...await contacts({ ...where, "where[0][val]": some.join(",") }, correlationId));
      }
      // Mautic 5 and 6 escape the value as HTML, so that `o'neil@…` is never found (docs/mautic.md,
      // "Reading and finding"): any sign is looked for in place of the quote.
      for (const address of addresses.filter((each) => each.includes("'"))) {
        const where = { "where[0][col]": "email", "where[0][expr]": "like", limit: "1000" };
        const like = { ...where, "where[0][val]": address.replaceAll("'", "_") };
        found.push(
          ...(await contacts(like, correlationId)).filter((contact) =>
            wire.contactAddress(contact) === normalizeAddress(address)
          ),
        );
      }
      return found.sort((a, b) => a.id - b.id);
    },

    /** The contacts with these ids; deleted and merged-away ones are left out by Mautic. */
    async contactsByIds(ids: number[], correlationId?: string): Promise<wire.MauticContact[]> {
      const found = [];
      for (const some of chunks([...new Set(ids)], idsPerRead)) {
        found.push(
          ...await contacts({ search: `ids:${some.join(",")}`, limit: "200" }, correlationId),
        );
      }
      return found;
    },

    /** The contact; another id than asked for: it was merged into that one. */
    async getContact(id: number, correlationId?: string): Promise<wire.MauticContact> {
      const path = `/api/contacts/${id}`;
      const request = { method: "GET", path, policy: "read", correlationId } as const;
      return (await call(request, wire.contactAnswer)).contact;
    },

    /** Edits by id, leaving what is not in `body`; another id in the answer: merged into that. */
    async editContact(
      id: number,
      body: ContactBody,
      correlationId?: string,
    ): Promise<wire.MauticContact> {
      const path = `/api/contacts/${id}/edit`;
      const request = {
        method: "PATCH",
        path,
        body,
        policy: "save",
        items: 1,
        correlationId,
      } as const;
      return (await call(request, wire.contactAnswer)).contact;
    },

    /**
     * Deletes a contact for good. Read it right before: the id of a merged contact deletes the one
     * it was merged into. `not_found`: it was gone already.
     */
    async deleteContact(id: number, correlationId?: string): Promise<void> {
      const path = `/api/contacts/${id}/delete`;
      // The answer shows the contact, its id already null.
      await call(
        { method: "DELETE", path, policy: "save", correlationId },
        z.object({ contact: z.unknown() }),
      );
    },

    /**
     * Sets the do-not-contact entry of the e-mail channel. Reason 3 rests on having read that
     * there is none and is not repeated; 1 and 2 put an opt-out back and are. Returns the entries
     * as they are then: one that stood already may stay.
     */
    async addDoNotContact(
      id: number,
      { reason, comments }: { reason: number; comments: string },
      correlationId?: string,
    ): Promise<DoNotContactEntry[]> {
      const request = {
        method: "POST",
        path: `/api/contacts/${id}/dnc/email/add`,
        body: { reason, comments },
        policy: reason === manualReason ? "fresh" : "save",
        correlationId,
      } as const;
      return (await call(request, wire.contactAnswer)).contact.doNotContact;
    },

    /**
     * Removes the entry of the e-mail channel, whatever it is: read it right before. Returns the
     * entries that are left.
     */
    async removeDoNotContact(id: number, correlationId?: string): Promise<DoNotContactEntry[]> {
      const path = `/api/contacts/${id}/dnc/email/remove`;
      const request = { method: "POST", path, policy: "fresh", correlationId } as const;
      return (await call(request, wire.contactAnswer)).contact.doNotContact;
    },

    /**
     * The published campaigns a contact is in. Mautic leaves out those it was removed from by hand
     * (docs/mautic.md, "Campaigns"): only what we keep of our own enrolments tells of them.
     */
    async contactCampaigns(id: number, correlationId?: string): Promise<number[]> {
      const path = `/api/contacts/${id}/campaigns`;
      return await call(
        { method: "GET", path, policy: "read", correlationId },
        wire.campaignsAnswer,
      );
    },

    /** Adds a contact to a campaign; `not_found` when there is no such campaign or contact. */
    async addToCampaign(
      campaignId: number,
      contactId: number,
      correlationId?: string,
    ): Promise<void> {
      const path = `/api/campaigns/${campaignId}/contact/${contactId}/add`;
      await call({ method: "POST", path, policy: "append", correlationId }, wire.successAnswer);
    },

    /** Adds one set of native UTM tags (`utm_source` …). Returns the do-not-contact entries. */
    async addUtm(
      id: number,
      tags: Record<string, string>,
      correlationId?: string,
    ): Promise<DoNotContactEntry[]> {
      const request = {
        method: "POST",
        path: `/api/contacts/${id}/utm/add`,
        body: tags,
        policy: "append",
        correlationId,
      } as const;
      return (await call(request, wire.contactAnswer)).contact.doNotContact;
    },

    /** All contact fields: aliases to check settings against. */
    async contactFields(correlationId?: string): Promise<wire.ContactField[]> {
      const request = {
        method: "GET",
        path: "/api/fields/contact",
        query: { limit: "1000" },
        policy: "read",
        correlationId,
      } as const;
      return await call(request, wire.fieldsAnswer);
    },

    /**
     * Do-not-contact entries added at or after `since` (ms since the epoch), by ascending id, those
     * behind `afterId`: rows that vanish while a table is read must not move the pages.
     */
    async doNotContactStats(
      { since, afterId, limit }: { since: number; afterId: number; limit: number },
      correlationId?: string,
    ): Promise<{ total: number; rows: wire.DoNotContactRows["stats"] }> {
      const { total, stats } = await call({
        method: "GET",
        path: "/api/stats/lead_donotcontact",
        query: {
          limit: String(limit),
          "order[0][col]": "id",
          "order[0][dir]": "asc",
          "where[0][col]": "date_added",
          "where[0][expr]": "gte",
          // Mautic keeps UTC without a zone, to the second.
          "where[0][val]": new Date(since).toISOString().slice(0, 19).replace("T", " "),
          "where[1][col]": "id",
          "where[1][expr]": "gt",
          "where[1][val]": String(afterId),
        },
        policy: "read",
        correlationId,
      }, wire.doNotContactRows);
      return { total, rows: stats };
    },
  };
}

function chunks<T>(items: T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, index) => items.slice(index * size, (index + 1) * size),
  );
}
