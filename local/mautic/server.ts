/** The emulated Mautic without HTTP: a request in, a response out, all time and chance injected. */
import { accessDenied, exception, routeNotFound, ServerException } from "./answers.ts";
import { campaignMembers, insertCampaign } from "./campaigns.ts";
import { DEFAULT_CHARACTER_LIMIT, PRODUCT_FIELDS } from "./field_definitions.ts";
import { createFaults, type Fault, faultAnswer } from "./faults.ts";
import { insertField } from "./fields.ts";
import { flushHookQueue } from "./hook_delivery.ts";
import { insertHook } from "./hooks.ts";
import { createJournal } from "./journal.ts";
import { createLoad } from "./load.ts";
import type { Mautic } from "./mautic.ts";
import { type Client, createAuthority } from "./oauth.ts";
import { createPeople } from "./people.ts";
import { BASE64URL, HEX, randomText } from "./random.ts";
import { createRateLimiter } from "./rate_limit.ts";
import { readRequest } from "./read_request.ts";
import { findRoute } from "./router.ts";
import type { MauticServer, MauticServerOptions } from "./server_types.ts";
import { createState } from "./state.ts";
import type { Actor, Answer, ApiRequest } from "./types.ts";

/** The connection ended without a whole answer: `partial` are the bytes that still came. */
export class ConnectionCut extends Error {
  override name = "ConnectionCut";
  constructor(readonly partial: string | null) {
    super("The connection was closed.");
  }
}

export function createMauticServer(options: MauticServerOptions): MauticServer {
  const { clock, random } = options;
  let created = 0;
  let isDown = false;
  const turn = options.turn ?? (() => clock.sleep(0));
  const limit = options.characterLimit ?? DEFAULT_CHARACTER_LIMIT;
  const secretMark = options.secretMark ?? "";
  const password = secretMark + randomText(random, 24, BASE64URL);
  const users = options.users ??
    [{ id: 1, username: "admin", password, firstName: "Ad", lastName: "Min", isAdmin: true }];
  const mautic: Mautic = {
    clock,
    random,
    secretMark,
    deliver: options.deliver,
    siteUrl: options.siteUrl ?? "http://mautic.test",
    settings: {
      apiEnabled: true,
      basicAuthEnabled: false,
      tokenLifetimeSeconds: 3600,
      rateLimit: 0,
      rateLimitWindowSeconds: 3600,
      webhookMode: "immediate",
      ...options.settings,
    },
    users,
    state: createState(limit),
    load: createLoad(clock, turn),
    onContactCreated: () => created++,
    onContactSaved: options.onContactSaved ?? (() => {}),
  };
  const { state, settings, load } = mautic;
  load.setModel(options.latency ?? null);
  const client: Client = {
    id: options.client?.id ?? `1_${randomText(random, 50, HEX)}`,
    secret: options.client?.secret ?? secretMark + randomText(random, 50, HEX),
    name: options.client?.name ?? "Supabase Sync",
  };
  const authority = createAuthority(mautic, client);
  const limiter = createRateLimiter(mautic);
  const faults = createFaults();
  const journal = createJournal(clock, () => state);
  const owner = { id: users[0]?.id ?? null, name: `${users[0]?.firstName} ${users[0]?.lastName}` };

  for (const field of options.customFields ?? PRODUCT_FIELDS) {
    insertField(mautic, { ...field, defaultLimit: limit, author: owner.name });
  }
  const campaigns = (options.campaigns ?? [{ name: "High value leads" }])
    .map((campaign) => insertCampaign(mautic, owner, campaign));

  async function dispatch(request: ApiRequest): Promise<Answer> {
    if (request.path === "/oauth/v2/token") {
      await load.start("oauth.token").begin();
      return authority.token(request);
    }
    if (!request.path.startsWith("/api/")) return routeNotFound(request.path);
    const actor = authority.identify(request);
    if ("status" in actor) return actor;
    const { headers, refusal } = limiter.count(actor.bucket);
    const answer = refusal ?? await route(request, actor);
    const version = refusal || answer.isUnversioned ? {} : { "Mautic-Version": "5.1.1" };
    return { ...answer, headers: { ...version, ...headers, ...answer.headers } };
  }

  async function route(request: ApiRequest, actor: Actor): Promise<Answer> {
    const found = findRoute(request.method, request.path);
    if (!found) return routeNotFound(request.path);
    if (!actor.isAdmin && found.name !== "contacts.batch.edit") return accessDenied();
    const work = load.start(found.name);
    await work.begin();
    try {
      return await found.run({ mautic, actor, request, work });
    } catch (error) {
      if (error instanceof ServerException) return exception(500);
      throw error;
    }
  }

  async function handle(raw: Request): Promise<Response> {
    if (isDown) throw new ConnectionCut(null);
    const request = await readRequest(raw);
    const info = { method: request.method, path: request.path, body: request.body };
    const fault = faults.take(info);
    const entry = journal.begin(request);
    entry.fault = fault?.kind ?? null;
    let status: number | null = null;
    try {
      const response = await answer(request, fault, raw.signal);
      status = response.status;
      return response;
    } finally {
      journal.end(entry, status);
    }
  }

  async function answer(
    request: ApiRequest,
    fault: Fault | null,
    signal: AbortSignal,
  ): Promise<Response> {
    const work = async () =>
      toResponse(request.malformed ? exception(400) : await dispatch(request));
    if (!fault) return await work();
    switch (fault.kind) {
      case "cut_before":
        throw new ConnectionCut(null);
      case "cut_after":
        throw new ConnectionCut((await (await work()).text()).slice(0, 40));
      case "hang_before":
        return await hang(signal);
      case "hang_after":
      case "timeout":
        await work();
        journal.poke();
        return await hang(signal);
      case "slow":
        await clock.sleep(fault.delayMs ?? 0);
        return await work();
    }
    if (fault.kind.endsWith("_after")) await work();
    const made = faultAnswer(fault, clock.now());
    if (made === null) return await work();
    if (!("html" in made)) return toResponse(made);
    const status = /^50\d/.test(fault.kind) ? Number(fault.kind.slice(0, 3)) : 502;
    return new Response(made.html, { status, headers: { "Content-Type": "text/html" } });
  }

  return {
    ...createPeople(mautic, journal.poke),
    maximumInFlight: journal.maximumInFlight,
    inFlight: journal.inFlight,
    waitForRequest: journal.waitForRequest,
    waitForStart: journal.waitForStart,
    waitFor: journal.waitFor,
    poke: journal.poke,
    handle,
    clientId: client.id,
    clientSecret: client.secret,
    admin: { username: users[0]?.username ?? "", password: users[0]?.password ?? "" },
    settings,
    campaignId: campaigns[0]?.id ?? 0,
    contacts: state.contacts,
    hooks: state.hooks,
    requests: journal.entries,
    tokensIssued: authority.tokensIssued,
    contactsCreated: () => created,
    duplicateEmails: () =>
      [...state.unique.get("email") ?? []].filter(([, ids]) => ids.size > 1).map(([email]) =>
        email
      ),
    overlappingWrites: () => journal.overlaps,
    campaignMembers: (id) => campaignMembers(state, id),
    addField: (field) => {
      insertField(mautic, { ...field, defaultLimit: limit, author: owner.name });
    },
    requireField: (alias, isRequired) => {
      const field = state.fields.find((each) => each.alias === alias);
      if (field) field.isRequired = isRequired;
    },
    addCampaign: (campaign) => insertCampaign(mautic, owner, campaign).id,
    addWebhook: ({ ownerId, ...hook }) =>
      insertHook(mautic, ownerId === null ? { id: null, name: client.name } : owner, hook),
    flushHookQueue: () => flushHookQueue(mautic),
    setLatency: load.setModel,
    failNext: faults.add,
    clearFaults: faults.clear,
    setDown(down) {
      isDown = down;
    },
    revokeTokens: authority.revokeTokens,
    setTokenLifetime(seconds) {
      settings.tokenLifetimeSeconds = seconds;
    },
    rateLimit(calls, windowSeconds = 3600) {
      settings.rateLimit = calls;
      settings.rateLimitWindowSeconds = windowSeconds;
    },
    holdSaves: load.holdSaves,
  };
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new ConnectionCut(null));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}

function toResponse({ status, body, headers }: Answer): Response {
  return new Response(status === 302 ? null : JSON.stringify(body), {
    status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-cache, private",
      ...headers,
    },
  });
}
