/** Webhooks as rows: the `/api/hooks` resource (docs/mautic.md, "Events"). */
import { created, invalid, notFound, ok } from "./answers.ts";
import type { Call, Mautic } from "./mautic.ts";
import { isObject, isoDate, keyedById } from "./php.ts";
import { nextId } from "./state.ts";
import { HEX, randomText } from "./random.ts";
import { HOOK_TRIGGERS } from "./hook_triggers.ts";
import type { Answer, Author, Hook, Json, JsonObject } from "./types.ts";

export interface NewHook {
  name?: string;
  url: string;
  secret?: string;
  triggers: string[];
  isPublished?: boolean;
  eventsOrderbyDir?: string | null;
}

/** Adds a hook; without a secret Mautic invents one. */
export function insertHook(mautic: Mautic, author: Author, options: NewHook): Hook {
  const hook: Hook = {
    id: nextId(mautic.state, "hook"),
    name: options.name ?? "webhook",
    description: null,
    webhookUrl: options.url,
    secret: options.secret ||
      (mautic.secretMark + randomText(mautic.random, 64, HEX)).slice(0, 64),
    eventsOrderbyDir: options.eventsOrderbyDir ?? null,
    triggers: [...options.triggers],
    isPublished: options.isPublished ?? true,
    dateAdded: mautic.clock.now(),
    dateModified: null,
    createdBy: author,
    modifiedBy: { id: null, name: null },
  };
  mautic.state.hooks.set(hook.id, hook);
  return hook;
}

export function listHooks({ mautic }: Call): Answer {
  const hooks = [...mautic.state.hooks.values()];
  return ok({
    total: hooks.length,
    hooks: keyedById(hooks.map((hook) => [String(hook.id), serialiseHook(hook)])),
  });
}

export function getHook(call: Call, id: number): Answer {
  const hook = call.mautic.state.hooks.get(id);
  return hook ? ok({ hook: serialiseHook(hook) }) : notFound();
}

export function listTriggers(): Answer {
  return ok({ triggers: HOOK_TRIGGERS });
}

/** Unknown triggers are accepted and echoed back: such a hook looks fine and never fires. */
export function newHook({ mautic, actor, request }: Call): Answer {
  const body = isObject(request.body) ? request.body : {};
  const url = text(body.webhookUrl);
  if (!isUrl(url)) return missingUrl();
  const hook = insertHook(mautic, actor.author, {
    name: text(body.name),
    url,
    secret: text(body.secret),
    triggers: strings(body.triggers),
    isPublished: body.isPublished === undefined || truthy(body.isPublished),
    eventsOrderbyDir: text(body.eventsOrderbyDir) || null,
  });
  hook.description = text(body.description) || null;
  return created({ hook: serialiseHook(hook) }, `/api/hooks/${hook.id}`);
}

/** PATCH adds to the triggers, PUT replaces them (the first recorded). */
export function editHook({ mautic, actor, request }: Call, id: number): Answer {
  const hook = mautic.state.hooks.get(id);
  if (!hook) return notFound();
  const body = isObject(request.body) ? request.body : {};
  if (body.webhookUrl !== undefined) {
    if (!isUrl(text(body.webhookUrl))) return missingUrl();
    hook.webhookUrl = text(body.webhookUrl);
  }
  if (body.name !== undefined) hook.name = text(body.name);
  if (body.secret !== undefined) hook.secret = text(body.secret) || hook.secret;
  if (body.isPublished !== undefined) hook.isPublished = truthy(body.isPublished);
  if (body.triggers !== undefined) {
    const kept = request.method === "PUT" ? [] : hook.triggers;
    hook.triggers = [...new Set([...kept, ...strings(body.triggers)])];
  }
  hook.dateModified = mautic.clock.now();
  hook.modifiedBy = actor.author;
  return ok({ hook: serialiseHook(hook) });
}

export function deleteHook({ mautic }: Call, id: number): Answer {
  const hook = mautic.state.hooks.get(id);
  if (!hook) return notFound();
  mautic.state.hooks.delete(id);
  return ok({ hook: { ...serialiseHook(hook), id: null } });
}

function serialiseHook(hook: Hook): JsonObject {
  return {
    isPublished: hook.isPublished,
    dateAdded: isoDate(hook.dateAdded),
    dateModified: isoDate(hook.dateModified),
    createdBy: hook.createdBy.id,
    createdByUser: hook.createdBy.name,
    modifiedBy: hook.modifiedBy.id,
    modifiedByUser: hook.modifiedBy.name,
    id: hook.id,
    name: hook.name,
    description: hook.description,
    webhookUrl: hook.webhookUrl,
    secret: hook.secret,
    eventsOrderbyDir: hook.eventsOrderbyDir,
    category: null,
    triggers: hook.triggers,
  };
}

function missingUrl(): Answer {
  return invalid(400, [["webhookUrl", ["A valid URL is required."]]]);
}

function isUrl(value: string): boolean {
  return /^https?:\/\/\S+$/.test(value);
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value)
    ? value.map(String)
    : isObject(value)
    ? Object.values(value).map(String)
    : [];
}

function truthy(value: Json): boolean {
  return value === true || value === 1 || value === "1";
}
