/**
 * Sending of webhooks: signature, order, queue, switching off (docs/mautic.md, "Signature",
 * docs/mautic.md, "Order and loss", docs/mautic.md, "Switching off").
 */
import { createHmac } from "node:crypto";
import { ServerException } from "./answers.ts";
import { isoDate, phpJson } from "./php.ts";
import type { Mautic } from "./mautic.ts";
import type { Author, Hook, JsonObject } from "./types.ts";

export interface HookEvent {
  type: string;
  /** The item without its timestamp. */
  item: () => JsonObject;
}

/** `webhook_disable_limit` and the grace after an edit. */
const LOG_ROWS_READ = 100;
const GRACE_MILLISECONDS = 2 * 24 * 3600 * 1000;

/** Rows of one queue run that go into one POST (`webhook_limit`). */
const QUEUE_BATCH = 10;

/** Base64 of the raw HMAC-SHA256 over the exact body bytes. */
export function signHook(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("base64");
}

/**
 * Sends the events to every published hook that listens, one event a request, before the API call
 * that caused them is answered. In queue mode they wait for `flushHookQueue`.
 *
 * @throws ServerException when a hook without an owner has to be switched off: the notifier has
 * nobody to write to, and the API call answers 500 although everything was saved.
 */
export async function emit(mautic: Mautic, author: Author, events: HookEvent[]): Promise<void> {
  if (mautic.state.hooks.size === 0) return;
  const timestamp = isoDate(mautic.clock.now());
  const sendings: { hook: Hook; type: string; item: JsonObject }[] = [];
  for (const event of events) {
    const listeners = [...mautic.state.hooks.values()].filter((hook) =>
      hook.isPublished && hook.triggers.includes(event.type)
    );
    if (listeners.length === 0) continue;
    const item = { ...event.item(), timestamp };
    for (const hook of listeners) sendings.push({ hook, type: event.type, item });
  }
  for (const { hook, type, item } of sendings) {
    if (mautic.settings.webhookMode === "queue") {
      mautic.state.hookQueue.push({ hookId: hook.id, type, item });
    } else {
      await send(mautic, author, hook, { [type]: [item] });
    }
  }
}

/** What the cron command does: up to ten events a POST, types mixed. Returns the POSTs made. */
export async function flushHookQueue(mautic: Mautic): Promise<number> {
  let posts = 0;
  for (const hook of mautic.state.hooks.values()) {
    for (;;) {
      const mine = mautic.state.hookQueue.filter((row) => row.hookId === hook.id)
        .slice(0, QUEUE_BATCH);
      if (mine.length === 0 || !hook.isPublished) break;
      const body: Record<string, JsonObject[]> = {};
      for (const row of mine) (body[row.type] ??= []).push(row.item);
      posts++;
      // A refused connection keeps the rows for the next run; an HTTP error of any kind loses them.
      if (!(await send(mautic, { id: null, name: " " }, hook, body))) break;
      mautic.state.hookQueue = mautic.state.hookQueue.filter((row) => !mine.includes(row));
    }
  }
  return posts;
}

/** Resolves to false when no connection came about. */
async function send(
  mautic: Mautic,
  author: Author,
  hook: Hook,
  payload: Record<string, JsonObject[]>,
): Promise<boolean> {
  const body = phpJson(payload);
  let status: number;
  try {
    ({ status } = await mautic.deliver(hook.webhookUrl, {
      headers: {
        "User-Agent": "GuzzleHttp/7",
        "Content-Type": "application/json",
        "X-Origin-Base-URL": mautic.siteUrl,
        "Webhook-Signature": signHook(body, hook.secret),
      },
      body,
    }));
  } catch {
    return false;
  }
  const isSuccess = status >= 200 && status < 300;
  const now = mautic.clock.now();
  const row = { hookId: hook.id, statusCode: status, dateAdded: now };
  // Seen live on 5.1.1: each non-2xx answer writes two rows.
  mautic.state.hookLog.push(...(isSuccess ? [row] : [row, { ...row }]));
  if (!isSuccess && (status === 410 || isSick(mautic, hook))) {
    hook.isPublished = false;
    hook.dateModified = now;
    hook.modifiedBy = author;
    if (status !== 410 && hook.createdBy.id === null) {
      throw new ServerException(`Webhook ${hook.id} was switched off and has no owner to tell.`);
    }
  } else if (isSuccess) {
    hook.modifiedBy = author;
  }
  return true;
}

function isSick(mautic: Mautic, hook: Hook): boolean {
  const { dateModified } = hook;
  if (dateModified !== null && mautic.clock.now() - dateModified < GRACE_MILLISECONDS) return false;
  const rows = mautic.state.hookLog.filter((row) => row.hookId === hook.id).slice(-LOG_ROWS_READ);
  return rows.every((row) => row.statusCode < 200 || row.statusCode >= 300);
}
