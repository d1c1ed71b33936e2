import { type Api, callApi, type MauticClientOptions } from "shared/mautic/transport/request.ts";
import { batchCalls } from "./batch.ts";
import { campaignCalls } from "./campaigns.ts";
import { contactCalls } from "./contacts.ts";
import { doNotContactCalls } from "./do_not_contact.ts";
import { fieldCalls } from "./fields.ts";
import { statisticsCalls } from "./statistics.ts";
import { utmTagCalls } from "./utm_tags.ts";
import { versionCalls } from "./version.ts";

export type MauticClient = ReturnType<typeof createMauticClient>;

/**
 * Mautic's REST API, as far as the sync needs it: the calls of each resource, from a file each. The
 * last parameter of a call is the correlation id of the change it is for. What is sent again after
 * a failure is each call's `policy` (transport/retry.ts).
 *
 * Every call rejects with a MauticError where Mautic or the way to it fails, and with what the
 * token store raises.
 *
 * @example A Mautic that answers to one address
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMauticClient } from "shared/mautic/client.ts";
 * import { systemClock } from "shared/runtime/clock.ts";
 * import { silentLog } from "shared/runtime/log.ts";
 *
 * const contact = { id: 7, fields: { all: { email: "john@example.com" } }, doNotContact: [] };
 * const mautic = createMauticClient({
 *   baseUrl: "https://mautic.example.com",
 *   tokens: {
 *     get: () => Promise.resolve("token"),
 *     drop: () => Promise.resolve(),
 *     lastFrom: () => "memory",
 *   },
 *   fetch: () => Promise.resolve(Response.json({ total: 1, contacts: { 7: contact } })),
 *   clock: systemClock,
 *   random: Math.random,
 *   requestTimeoutMs: 1_000,
 *   retry: { retries: 3, delayMs: 100, maxServerDelayMs: 1_000 },
 *   log: silentLog,
 *   correlationId: "example",
 * });
 * const [found] = await mautic.findByEmail(["john@example.com"]);
 * assert.equal(found?.id, 7);
 * ```
 */
export function createMauticClient(options: MauticClientOptions) {
  const api: Api = (request, shape) => callApi(request, shape, options);
  return {
    ...versionCalls(api),
    ...contactCalls(api),
    ...batchCalls(api),
    ...doNotContactCalls(api),
    ...campaignCalls(api),
    ...utmTagCalls(api),
    ...fieldCalls(api),
    ...statisticsCalls(api),
  };
}
