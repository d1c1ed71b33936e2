/** What set-up and doctor need of Mautic's API beyond the sync's own client. */
import { z } from "zod";
import type { Clock } from "shared/runtime/clock.ts";
import { silentLog } from "shared/runtime/log.ts";
import { errorOfAnswer, wrongShape } from "shared/mautic/transport/answer_errors.ts";
import {
  type ApiRequest,
  callApi,
  type MauticClientOptions,
} from "shared/mautic/transport/request.ts";
import type { TokenSource } from "shared/mautic/token/cache.ts";
import { fetchToken } from "shared/mautic/token/endpoint.ts";
import { send } from "shared/mautic/transport/transport.ts";
import { fieldsAnswer } from "shared/mautic/fields.ts";
import { entriesOf, idSchema } from "shared/mautic/transport/json.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

const listOf = <T>(key: string, item: z.ZodType<T>) =>
  z.record(z.string(), z.unknown())
    .transform((answer) => entriesOf(answer[key]).map(([, each]) => each))
    .pipe(z.array(item));

const hookSchema = z.object({
  id: idSchema,
  name: z.string().nullish(),
  webhookUrl: z.string().nullish().transform((url) => url ?? ""),
  secret: z.string().nullish(),
  isPublished: z.boolean(),
  triggers: z.unknown().transform((triggers) =>
    entriesOf(triggers).map(([, each]) => String(each))
  ),
  /** Null: created with an API client's token, by nobody. */
  createdBy: idSchema.nullish(),
  dateModified: z.string().nullish(),
});
export type MauticHook = z.infer<typeof hookSchema>;

const campaignSchema = z.object({
  id: idSchema,
  name: z.string().nullish(),
  isPublished: z.boolean(),
  publishUp: z.string().nullish(),
  publishDown: z.string().nullish(),
});
export type MauticCampaign = z.infer<typeof campaignSchema>;

/** A contact field to create. */
export interface NewField {
  alias: string;
  label: string;
  type: "number" | "text";
  /** Longest text; told to text fields only. */
  maxLength: number;
}

export interface NewHook {
  name: string;
  url: string;
  /** Null: Mautic invents one. */
  secret: string | null;
  triggers: string[];
}

/** A person who may log in to Mautic. */
export interface BasicCredentials {
  user: string;
  password: string;
}

export interface AdminOptions {
  settings: SyncSettings;
  fetch: typeof fetch;
  clock: Clock;
}

export type MauticAdmin = ReturnType<typeof createMauticAdmin>;

/** Reads and creates fields, reads campaigns and webhooks. Every method raises MauticError. */
export function createMauticAdmin({ settings, fetch, clock }: AdminOptions) {
  const options: MauticClientOptions = {
    baseUrl: settings.baseUrl,
    tokens: ownToken({ settings, fetch, clock }),
    fetch,
    clock,
    random: Math.random,
    requestTimeoutMs: settings.requestTimeoutMs,
    // A person waits for the answer and can ask again.
    retry: { retries: 0, delayMs: 0, maxServerDelayMs: 0 },
    log: silentLog,
    correlationId: crypto.randomUUID(),
  };
  const call = async <T>(request: ApiRequest, shape: z.ZodType<T>) =>
    (await callApi(request, shape, options)).data;
  const read = <T>(path: string, shape: z.ZodType<T>) =>
    call({ method: "GET", path, query: { limit: "1000" }, policy: "read" }, shape);

  return {
    /** Fetches a token; the other methods use the same one. */
    logIn: () => options.tokens.get(),

    /** Reaches the API with the token; the version is in a header of every answer. */
    async version(): Promise<string | null> {
      const { headers } = await callApi(
        {
          method: "GET",
          path: "/api/contacts",
          query: { limit: "1", minimal: "1" },
          policy: "read",
        },
        z.object({ contacts: z.unknown() }),
        options,
      );
      return headers.get("Mautic-Version");
    },

    fields: () => read("/api/fields/contact", fieldsAnswer),

    async campaign(id: number): Promise<MauticCampaign> {
      const shape = z.object({ campaign: campaignSchema });
      return (await read(`/api/campaigns/${id}`, shape)).campaign;
    },

    hooks: () => read("/api/hooks", listOf("hooks", hookSchema)),

    /** Answers the alias that Mautic gave it: reserved words are changed silently. */
    async createField({ alias, label, type, maxLength }: NewField): Promise<string> {
      const { field } = await call(
        {
          method: "POST",
          path: "/api/fields/contact/new",
          body: {
            alias,
            label,
            type,
            group: "core",
            object: "lead",
            isPublished: true,
            ...(type === "text" ? { charLengthLimit: maxLength } : {}),
          },
          policy: "fresh",
        },
        z.object({ field: z.object({ alias: z.string() }) }),
      );
      return field.alias;
    },
  };
}

/**
 * Creates a webhook as a person. One that an API client creates belongs to nobody: when it is
 * switched off, Mautic has no owner to tell, and answers 500 to the call that caused the event, be it
 * one of ours that has saved its contact (recorded: webhook-receiver-500; docs/mautic.md, "Switching
 * off"). Errors: MauticError, `forbidden` where Basic authentication is switched off in Mautic.
 */
export async function createHook(
  { name, url, secret, triggers }: NewHook,
  person: BasicCredentials,
  options: AdminOptions,
): Promise<MauticHook> {
  const hook = await asPerson(
    "POST",
    "/api/hooks/new",
    {
      name,
      webhookUrl: url,
      triggers,
      isPublished: true,
      eventsOrderbyDir: "ASC",
      ...(secret === null ? {} : { secret }),
    },
    person,
    options,
  );
  // Edited once: Mautic spares a webhook for two days after an edit, but switches one that was never
  // edited off at its first failure (docs/mautic.md, "Switching off").
  return await editHook(
    hook.id,
    { description: "Opt-outs and bounces to the leads table" },
    person,
    options,
  );
}

/** Publishes, re-addresses or adds triggers. Triggers are added to those that are there. */
export async function editHook(
  id: number,
  changes: Record<string, unknown>,
  person: BasicCredentials,
  options: AdminOptions,
): Promise<MauticHook> {
  return await asPerson("PATCH", `/api/hooks/${id}/edit`, changes, person, options);
}

async function asPerson(
  method: "POST" | "PATCH",
  path: string,
  body: unknown,
  { user, password }: BasicCredentials,
  { settings: { baseUrl, requestTimeoutMs: timeoutMs }, fetch, clock }: AdminOptions,
): Promise<MauticHook> {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  const basic = btoa(String.fromCharCode(...bytes));
  const answer = await send({
    method,
    url: baseUrl + path,
    headers: {
      Authorization: `Basic ${basic}`,
      Accept: "application/json",
    },
    json: body,
    timeoutMs,
    changes: true,
    secrets: [basic, password],
  }, { fetch, clock });
  const error = errorOfAnswer(answer, { baseUrl, path, changes: true, now: clock.now() });
  if (error) throw error;
  const parsed = z.object({ hook: hookSchema }).safeParse(answer.json);
  if (!parsed.success) throw wrongShape("no webhook", { changes: true });
  return parsed.data.hook;
}

/** A token for this program alone: the cache in the database belongs to the functions. */
function ownToken({ settings, fetch, clock }: AdminOptions): TokenSource {
  let token: string | undefined;
  return {
    async get() {
      token ??= (await fetchToken({
        baseUrl: settings.baseUrl,
        clientId: settings.clientId,
        clientSecret: settings.clientSecret,
        fetch,
        clock,
        timeoutMs: settings.requestTimeoutMs,
      })).token;
      return token;
    },
    drop() {
      token = undefined;
      return Promise.resolve();
    },
    lastFrom: () => token === undefined ? undefined : "mautic",
  };
}
