import { z } from "zod";
import type { TokenSource } from "shared/mautic/token/cache.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { RetrySettings } from "shared/settings/sync.ts";
import { errorOfAnswer, wrongShape } from "./answer_errors.ts";
import { MauticError } from "./errors.ts";
import { mayRetry, type RetryPolicy, withRetries } from "./retry.ts";
import { type HttpAnswer, send } from "./transport.ts";

export interface MauticClientOptions {
  /** Without a trailing slash, as the settings give it. */
  baseUrl: string;
  tokens: TokenSource;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  /** For one try, answer included. */
  requestTimeoutMs: number;
  retry: RetrySettings;
  log: Log;
  /** Sent as X-Correlation-ID where a call brings none of its own. */
  correlationId: string;
  /** Asked before every try with the time it may take: does the caller's lease outlast it? */
  mayStart?: (timeoutMs: number) => boolean;
}

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the base URL, from `/api`. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  policy: RetryPolicy;
  /** Leads in the request, for the log. */
  items?: number;
  correlationId?: string | undefined;
}

export interface ApiAnswer<T> {
  status: number;
  headers: Headers;
  data: T;
}

/** Mautic's API as the file of each resource calls it. */
export type Api = <T>(request: ApiRequest, shape: z.ZodType<T>) => Promise<ApiAnswer<T>>;

/**
 * One call to Mautic's API: token, lease, retries by policy, one fresh token after a 401, and the
 * answer parsed.
 *
 * @throws {MauticError} where Mautic or the way to it fails
 * @throws what the token store raises
 */
export async function callApi<T>(
  request: ApiRequest,
  shape: z.ZodType<T>,
  options: MauticClientOptions,
): Promise<ApiAnswer<T>> {
  const { clock, random, retry, log } = options;
  const correlationId = request.correlationId ?? options.correlationId;
  const about = { correlationId, method: request.method, path: request.path };
  const changes = request.policy !== "read";

  // The first token comes before the loop: its source has retries of its own.
  const token = await options.tokens.get();
  const answer = await withRetries(
    (attempt) => withToken(request, token, correlationId, attempt, options),
    {
      settings: retry,
      clock,
      random,
      mayRetry: (error) => mayRetry(request.policy, error),
      onRetry: (number, delayMs, { code, status }) =>
        log.warn("mautic_retry", { ...about, code, status, retry: number, delayMs }),
    },
  );
  const parsed = shape.safeParse(answer.json);
  if (parsed.success) return { status: answer.status, headers: answer.headers, data: parsed.data };
  const [issue] = parsed.error.issues;
  throw wrongShape(`${issue?.path.join(".") || "(body)"}: ${issue?.message}`, { changes });
}

/** A token may be revoked at any time: a 401 drops it, and the request is sent once more. */
async function withToken(
  request: ApiRequest,
  firstToken: string,
  correlationId: string,
  attempt: number,
  options: MauticClientOptions,
): Promise<HttpAnswer> {
  const token = attempt === 0 ? firstToken : await options.tokens.get();
  try {
    return await once(request, token, correlationId, attempt, options);
  } catch (error) {
    if (!(error instanceof MauticError) || error.code !== "unauthorized") throw error;
    await options.tokens.drop(token);
    options.log.info("mautic_token_refused", { correlationId });
    return await once(request, await options.tokens.get(), correlationId, attempt, options);
  }
}

async function once(
  { method, path, query, body, policy, items }: ApiRequest,
  token: string,
  correlationId: string,
  attempt: number,
  options: MauticClientOptions,
): Promise<HttpAnswer> {
  const { baseUrl, clock, log, requestTimeoutMs: timeoutMs, mayStart } = options;
  if (mayStart && !mayStart(timeoutMs)) {
    throw new MauticError(
      "lease_too_short",
      "Not sent: the lease could run out before Mautic's answer",
    );
  }
  const changes = policy !== "read";
  const startedAt = clock.now();
  const said = (status: number | undefined, code: string | undefined) =>
    log.info("mautic_call", {
      correlationId,
      method,
      path,
      attempt: attempt + 1,
      ...(items === undefined ? {} : { items }),
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code }),
      durationMs: Math.round(clock.now() - startedAt),
    });
  try {
    const answer = await send({
      method,
      url: `${baseUrl}${path}${query ? `?${new URLSearchParams(query)}` : ""}`,
      headers: {
        // Capital B, though its answer says "bearer": Mautic compares the scheme with its case
        // (docs/mautic.md, "Access tokens").
        Authorization: `Bearer ${token}`,
        Accept: "application/json",
        "X-Correlation-ID": correlationId.replace(/[^\x21-\x7e]/g, "_"),
      },
      json: body,
      timeoutMs,
      changes,
      secrets: [token],
      isText: true,
    }, { fetch: options.fetch, clock });
    const error = errorOfAnswer(answer, { baseUrl, path, changes, now: clock.now() });
    if (error) throw error;
    said(answer.status, undefined);
    return answer;
  } catch (error) {
    if (error instanceof MauticError) said(error.status, error.code);
    throw error;
  }
}
