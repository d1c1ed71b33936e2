import { messageOf } from "shared/errors/message.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { mayRetry, withRetries } from "shared/mautic/transport/retry.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import type { RetrySettings } from "shared/settings/sync.ts";
import type { FetchedToken } from "./endpoint.ts";
import { createSeal } from "./seal.ts";

export type AcquiredToken =
  | { state: "cached"; sealed: string; expires_at: string }
  /** The caller, and nobody else for the time of its hold, fetches a new one. */
  | { state: "refresh" }
  | { state: "wait"; retry_ms: number };

/** The token cache in Postgres (migration "worker_oauth_token"). */
export interface TokenStore {
  acquire(
    origin: string,
    clientId: string,
    holder: string,
    holdMs: number,
  ): Promise<AcquiredToken>;
  store(
    origin: string,
    clientId: string,
    holder: string,
    sealed: string,
    expiresAt: string,
  ): Promise<unknown>;
  drop(origin: string, clientId: string, sealed: string): Promise<unknown>;
  release(origin: string, clientId: string, holder: string): Promise<unknown>;
}

/** Gives access tokens. Make one for the life of a process: it keeps the last token in memory. */
export interface TokenSource {
  /**
   * A token with life left in it.
   *
   * @throws {MauticError} where Mautic gives none
   * @throws what the store raises
   */
  get(): Promise<string>;
  /** Forgets a token that Mautic refused. */
  drop(token: string): Promise<void>;
  /** Where the last token came from; undefined before the first. */
  lastFrom(): "memory" | "cache" | "mautic" | undefined;
}

export interface TokenSourceOptions {
  /** Mautic's base URL, also the key of the cache. */
  origin: string;
  clientId: string;
  clientSecret: string;
  store: TokenStore;
  /** A uuid of this process: whose hold it is. */
  holder: string;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  requestTimeoutMs: number;
  retry: RetrySettings;
  log: Log;
}

const marginMs = 60_000;
/** A token is there in milliseconds; who waits longer than this for one waits for a dead process. */
const longestFetchMs = 10_000;
const holdSlackMs = 5_000;

interface Held {
  token: string;
  sealed: string;
  /** Not used from then on: 60 s before its end, or half of its life where that is less. */
  usableUntil: number;
}

/**
 * A token source over memory, the shared cache in Postgres and Mautic's token endpoint. One fetch
 * at a time within the process and, by the store's hold, across all of them.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { origin, clientId, holder, store, clock, log } = options;
  const seal = createSeal(options);
  const timeoutMs = Math.min(options.requestTimeoutMs, longestFetchMs);
  const holdMs = timeoutMs + holdSlackMs;
  let held: Held | undefined;
  let pending: Promise<string> | undefined;
  let dropping: Promise<unknown> | undefined;
  let from: ReturnType<TokenSource["lastFrom"]>;

  function keep(token: string, sealed: string, expiresAt: number): void {
    const left = expiresAt - clock.now();
    held = { token, sealed, usableUntil: expiresAt - Math.min(marginMs, left / 2) };
  }

  /** The cached token, or the right to fetch one: undefined. Waits while another has that right. */
  async function fromCache(until: number): Promise<string | undefined> {
    while (true) {
      const acquired = await store.acquire(origin, clientId, holder, holdMs);
      if (acquired.state === "refresh") return undefined;
      if (acquired.state === "cached") {
        const token = await seal.unseal(acquired.sealed);
        if (token !== undefined) {
          keep(token, acquired.sealed, Date.parse(acquired.expires_at));
          return token;
        }
        // Sealed under an earlier secret, or garbled: as good as none.
        await store.drop(origin, clientId, acquired.sealed);
      }
      if (clock.now() >= until) {
        throw new MauticError("unavailable", "No access token: others are still fetching one");
      }
      if (acquired.state === "wait") await clock.sleep(Math.max(10, acquired.retry_ms));
    }
  }

  async function fetchAndStore(): Promise<string> {
    let fetched: FetchedToken;
    const startedAt = clock.now();
    try {
      // Loaded with the first token only, for a quick start: another process mostly has one.
      const { fetchToken } = await import("./endpoint.ts");
      fetched = await fetchToken({ ...options, baseUrl: origin, timeoutMs });
    } catch (error) {
      // Its own failure must not hide the one that matters; the hold ends by itself.
      await store.release(origin, clientId, holder).catch(() => {});
      throw error;
    }
    // From before the request, so that the clock of Mautic never ends it earlier.
    const expiresAt = startedAt + fetched.expiresInMs;
    const sealed = await seal.seal(fetched.token);
    keep(fetched.token, sealed, expiresAt);
    try {
      await store.store(origin, clientId, holder, sealed, new Date(expiresAt).toISOString());
    } catch (error) {
      // The token is good, though the others will have to fetch their own.
      log.warn("mautic_token_not_cached", { reason: messageOf(error) });
    }
    log.info("mautic_token_fetched", { expiresInMs: fetched.expiresInMs });
    return fetched.token;
  }

  async function obtain(): Promise<string> {
    await dropping;
    const until = clock.now() + 2 * holdMs;
    return await withRetries(async () => {
      const cached = await fromCache(until);
      from = cached === undefined ? "mautic" : "cache";
      return cached ?? await fetchAndStore();
    }, {
      settings: options.retry,
      clock,
      random: options.random,
      mayRetry: (error) => mayRetry("read", error),
      onRetry: (retry, delayMs, { code, status }) =>
        log.warn("mautic_token_retry", { code, status, retry, delayMs }),
    });
  }

  return {
    get() {
      if (held && clock.now() < held.usableUntil) {
        from = "memory";
        return Promise.resolve(held.token);
      }
      pending ??= obtain().finally(() => pending = undefined);
      return pending;
    },
    async drop(token) {
      // Another call may have replaced it since.
      // deno-lint-ignore lead-sync/secret-comparison -- is it the one we hold? No caller gives it
      if (held?.token !== token) return;
      const { sealed } = held;
      held = undefined;
      // A fetch waits for this, or it would find the refused token in the cache once more.
      dropping = store.drop(origin, clientId, sealed);
      try {
        await dropping;
      } finally {
        dropping = undefined;
      }
    },
    lastFrom: () => from,
  };
}
