/** A caller of the emulator over real HTTP, and of its core without HTTP. */
import { type MauticEmulator, startMauticEmulator } from "../../local/mautic/emulator.ts";
import { isObject } from "../../local/mautic/php.ts";
import type { Json, JsonObject } from "../../local/mautic/types.ts";

export interface Answered {
  status: number;
  headers: Headers;
  body: JsonObject;
}

export type Ask = (
  method: string,
  path: string,
  body?: Json,
  signal?: AbortSignal,
) => Promise<Answered>;

export interface Handled {
  url: string;
  clientId: string;
  clientSecret: string;
}

/** Fetches a token, then sends every request with it. */
export async function callerOf(
  mautic: Handled,
  send: (url: string, init: RequestInit) => Promise<Response> = (url, init) => fetch(url, init),
): Promise<Ask> {
  const response = await send(`${mautic.url}/oauth/v2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: mautic.clientId,
      client_secret: mautic.clientSecret,
    }),
  });
  const { access_token: token } = await response.json();
  return async (method, path, body, signal) => {
    const init: RequestInit = {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      // A stream cannot be sent twice: Deno's fetch silently repeats a request, POST included, whose
      // reused connection was closed before the first byte of an answer.
      ...(body === undefined ? {} : { body: new Blob([JSON.stringify(body)]).stream() }),
      ...(signal ? { signal } : {}),
    };
    const answer = await send(`${mautic.url}${path}`, init);
    const parsed: Json = JSON.parse(await answer.text());
    return {
      status: answer.status,
      headers: answer.headers,
      body: isObject(parsed) ? parsed : { list: parsed },
    };
  };
}

/** Starts an emulator with a caller; both end with `await using`. */
export async function startWithCaller(
  options: Parameters<typeof startMauticEmulator>[0] = {},
): Promise<{ mautic: MauticEmulator; ask: Ask } & AsyncDisposable> {
  const mautic = await startMauticEmulator(options);
  return {
    mautic,
    ask: await callerOf(mautic),
    [Symbol.asyncDispose]: () => mautic.stop(),
  };
}

/** Reads `body.contact.fields.all.firstname` and the like; undefined where a step is missing. */
export function at(value: Json | undefined, ...path: (string | number)[]): Json | undefined {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current)) current = current[Number(key)];
    else current = isObject(current) ? current[key] : undefined;
  }
  return current;
}
