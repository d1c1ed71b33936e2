import ky from "ky";
import { describeError } from "shared/errors/codes.ts";
import { messageOf } from "shared/errors/message.ts";
import type { Clock } from "shared/runtime/clock.ts";
import { MauticError } from "./errors.ts";

/** Larger answers are not read: 200 whole contacts are about 2 MiB. */
export const maxAnswerBytes = 8 * 1024 * 1024;

export interface HttpRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  url: string;
  headers: Record<string, string>;
  json?: unknown;
  form?: URLSearchParams;
  /** For request and answer together. */
  timeoutMs: number;
  /** Does it change anything in Mautic? Then a lost answer is ambiguous. */
  changes: boolean;
  /** Texts of people's come back, a NUL in them maybe, which Postgres takes in no text and no jsonb. */
  isText?: boolean;
  /** What the request proves itself with; taken out of the answer, should it repeat that. */
  secrets: string[];
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** The parsed body; undefined when it is not JSON. */
  json: unknown;
}

/**
 * Sends one request and reads its answer. Redirects are not followed: they turn a POST into a GET
 * and would take the token elsewhere.
 *
 * ky builds and sends the request; its retries and timeouts are off. It waits on the real clock
 * only, where ours is given (a simulation must not wait), and it takes Deno 2.1's "error sending
 * request from …" for no network error, so retry.ts decides what is sent again and when.
 *
 * @throws {MauticError} `unavailable` (never arrived, or a read that failed), `ambiguous` (a change
 * whose answer is lost), `bad_answer` (too large)
 */
export async function send(
  request: HttpRequest,
  { fetch, clock }: { fetch: typeof globalThis.fetch; clock: Clock },
): Promise<HttpAnswer> {
  const stop = new AbortController();
  const done = new AbortController();
  const timeout = clock.sleep(request.timeoutMs, done.signal).then((): never => {
    stop.abort();
    throw lost(request, `no answer within ${request.timeoutMs} ms`);
  });
  const exchanged = exchange(request, fetch, stop.signal);
  // The one that loses the race must not become an unhandled rejection.
  for (const each of [timeout, exchanged]) each.catch(() => {});
  try {
    // A race, because an injected fetch need not heed the signal.
    return await Promise.race([exchanged, timeout]);
  } finally {
    done.abort();
  }
}

async function exchange(
  request: HttpRequest,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let response: Response;
  try {
    response = await ky(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.form === undefined ? {} : { body: request.form }),
      ...(request.changes ? { body: unrepeatable(request.json ?? {}) } : {}),
      fetch,
      signal,
      redirect: "manual",
      retry: 0,
      timeout: false,
      throwHttpErrors: false,
    });
  } catch (error) {
    if (neverArrived(error)) {
      throw new MauticError(
        "unavailable",
        `Mautic cannot be reached at ${new URL(request.url).origin}: ${reason(error)}`,
        { cause: error },
      );
    }
    throw lost(request, reason(error), { cause: error });
  }
  const answered = withoutSecrets(await readText(request, response), request.secrets);
  const text = request.isText ? withoutNul(answered) : answered;
  return { status: response.status, headers: response.headers, json: parse(response, text) };
}

/**
 * A JSON body that the runtime cannot send a second time by itself. Deno 2.9 repeats a request on a
 * new connection when a kept-alive one is closed before the answer, a POST too, if it holds the
 * body's bytes (observed; 2.1 does not): a batch that Mautic is still working on would be doubled.
 * A Blob is streamed once. Hence also a body for calls that need none.
 */
function unrepeatable(json: unknown): Blob {
  return new Blob([JSON.stringify(json)], { type: "application/json" });
}

/**
 * An error page may repeat what was sent, and its message goes into logs and tables. PHP writes a
 * slash in JSON as `\/`.
 */
function withoutSecrets(text: string, secrets: string[]): string {
  const forms = secrets.flatMap((secret) => {
    const inJson = JSON.stringify(secret).slice(1, -1);
    return [secret, inJson, inJson.replaceAll("/", "\\/"), encodeURIComponent(secret)];
  });
  // A shorter one would be found in words of Mautic's own; Mautic makes them of 50 characters.
  return forms.filter(({ length }) => length >= 12)
    .reduce((rest, form) => rest.replaceAll(form, "[redacted]"), text);
}

/** Takes the escape of a NUL out of JSON, but not one whose backslash is escaped itself. */
function withoutNul(json: string): string {
  return json.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1");
}

async function readText(request: HttpRequest, response: Response): Promise<string> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  while (true) {
    let chunk: ReadableStreamReadResult<Uint8Array>;
    try {
      chunk = await reader.read();
    } catch (error) {
      throw lost(request, reason(error), { cause: error, status: response.status });
    }
    if (chunk.done) return text + decoder.decode();
    bytes += chunk.value.byteLength;
    if (bytes > maxAnswerBytes) {
      reader.cancel().catch(() => {});
      throw new MauticError(
        "bad_answer",
        `The answer is larger than ${maxAnswerBytes} bytes. ${describeError("bad_answer").remedy}`,
        { status: response.status, ambiguous: request.changes && response.ok },
      );
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}

function parse(response: Response, text: string): unknown {
  const type = response.headers.get("Content-Type") ?? "";
  if (!/^\s*application\/([a-z0-9.+-]+\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lost(
  request: HttpRequest,
  why: string,
  details: { cause?: unknown; status?: number } = {},
): MauticError {
  return request.changes
    ? new MauticError("ambiguous", `The answer of Mautic is lost (${why})`, details)
    : new MauticError("unavailable", `Mautic did not answer (${why})`, {
      cause: details.cause,
    });
}

const neverArrivedCodes = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

/** Did the connection fail before anything was sent? Deno says "(Connect)", others give a code. */
function neverArrived(error: unknown): boolean {
  return causes(error).some((each) =>
    each.message.includes("client error (Connect)") ||
    neverArrivedCodes.includes(String(Reflect.get(each, "code")))
  );
}

/** The innermost message: the outer ones only say that a request failed. */
function reason(error: unknown): string {
  const innermost = causes(error).at(-1) ?? error;
  return messageOf(innermost, 160).replace(/^error sending request .*?: client error /, "");
}

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let each = error; each instanceof Error && chain.length < 6; each = each.cause) {
    chain.push(each);
  }
  return chain;
}
