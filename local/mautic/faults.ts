/** Injected failures: what a network, a proxy or an overloaded server does to one request. */
import { exception, failure } from "./answers.ts";
import type { Answer, ApiRequest } from "./types.ts";

/**
 * - `500`, `502`, `503`, `504`, `429`, `html` (a proxy's page, 502), `redirect`: answered instead of
 *   doing the work; with the suffix `_after` the work is done and then this is answered.
 * - `hang_before`, `hang_after`: no answer ever, without or with the work done.
 * - `slow`: the work is done `delayMs` later, also for a caller who has given up meanwhile.
 * - `cut_before`, `cut_after`: the connection is closed, without or with the work done (then in the
 *   middle of the answer).
 */
export type FaultKind =
  | "500"
  | "502"
  | "503"
  | "504"
  | "429"
  | "html"
  | "redirect"
  | "500_after"
  | "502_after"
  | "503_after"
  | "504_after"
  | "html_after"
  | "hang_before"
  | "hang_after"
  | "timeout"
  | "slow"
  | "cut_before"
  | "cut_after";

export interface RequestInfo {
  method: string;
  path: string;
  body: ApiRequest["body"];
}

export interface Fault {
  /** `timeout` is `hang_after`. */
  kind: FaultKind;
  /** A part of the path, a pattern, or a function; every request when left out. */
  match?: string | RegExp | ((request: RequestInfo) => boolean);
  /** How many matching requests fail; 1 when left out. */
  times?: number;
  /** How many matching requests pass before. */
  skip?: number;
  /** For `slow`. */
  delayMs?: number;
  /** For 429 and 503: sent as `Retry-After`. */
  retryAfterSeconds?: number;
}

export interface ArmedFault {
  /** How many requests have met it. */
  hits(): number;
  cancel(): void;
}

export interface Faults {
  add(fault: Fault): ArmedFault;
  /** The fault this request meets, used up once. */
  take(request: RequestInfo): Fault | null;
  clear(): void;
}

export function createFaults(): Faults {
  let armed: { fault: Fault; skip: number; left: number; hits: number }[] = [];
  return {
    add(fault) {
      const entry = { fault, skip: fault.skip ?? 0, left: fault.times ?? 1, hits: 0 };
      armed.push(entry);
      return {
        hits: () => entry.hits,
        cancel() {
          armed = armed.filter((item) => item !== entry);
        },
      };
    },
    take(request) {
      for (const entry of armed) {
        if (entry.left <= 0 || !isMet(entry.fault, request)) continue;
        if (entry.skip > 0) {
          entry.skip--;
          continue;
        }
        entry.left--;
        entry.hits++;
        return entry.fault;
      }
      return null;
    },
    clear() {
      armed = [];
    },
  };
}

function isMet({ match }: Fault, request: RequestInfo): boolean {
  if (match === undefined) return true;
  if (typeof match === "function") return match(request);
  return typeof match === "string" ? request.path.includes(match) : match.test(request.path);
}

/** The answer of the kinds that answer; null for those that do not. */
export function faultAnswer(fault: Fault, now: number): Answer | { html: string } | null {
  const headers: Record<string, string> = fault.retryAfterSeconds === undefined
    ? {}
    : { "Retry-After": String(fault.retryAfterSeconds) };
  switch (fault.kind.replace("_after", "")) {
    case "500":
      return exception(500);
    case "502":
    case "504":
    case "html":
      return { html: "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>" };
    case "503":
      return { ...exception(503), headers };
    case "429":
      return {
        ...failure(429, "You exceeded the rate limit of 1000 API calls per hour."),
        headers: {
          "X-RateLimit-Limit": "1000",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": String(Math.ceil(now / 1000) + (fault.retryAfterSeconds ?? 1)),
          ...headers,
        },
      };
    case "redirect":
      return { status: 302, body: null, headers: { Location: "/s/login" } };
    default:
      return null;
  }
}
