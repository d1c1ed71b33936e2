import type { ErrorCode } from "shared/errors/codes.ts";
import { oneLine } from "shared/errors/message.ts";
import { maskAddresses } from "shared/lead/address.ts";

export type MauticErrorCode =
  /** 400: Mautic refuses values; `fieldErrors` says which. */
  | "validation_failed"
  /** 422: several contacts bear this unique value; every save is refused until they are merged. */
  | "duplicate_contact"
  | "not_found"
  /** 401 with a token fetched a moment ago. */
  | "unauthorized"
  | "forbidden"
  | "api_disabled"
  /** 429; `retryAfterMs` where the server said so. */
  | "rate_limited"
  /** Answered with 500, or something in front of Mautic refused this very request. */
  | "server_failed"
  /** Refused, 503, or a read that failed on its way: surely nothing was changed. */
  | "unavailable"
  /** Timeout, cut connection, 502, 504: it may have been done or still be under way. */
  | "ambiguous"
  /** Not JSON, wrong shape, too large, a redirect. */
  | "bad_answer"
  /** The token endpoint refuses client id and secret. */
  | "oauth_refused"
  /** Not sent: the caller's lease would not outlast the request. */
  | "lease_too_short";

export interface MauticErrorDetails {
  status?: number | undefined;
  /** The same request may pass later without a person doing anything. */
  retryable?: boolean;
  /** It may have been done, or may still be under way: look before sending it again. */
  ambiguous?: boolean;
  /** alias → what Mautic says of the value */
  fieldErrors?: Record<string, string[]>;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

const passing: readonly MauticErrorCode[] = [
  "rate_limited",
  "server_failed",
  "unavailable",
  "ambiguous",
  "lease_too_short",
];

/**
 * A call to Mautic that did not succeed. A class, because callers tell it from errors of the
 * database. The message is one line with addresses masked and names a remedy where there is one.
 */
export class MauticError extends Error {
  override name = "MauticError";
  readonly code: MauticErrorCode;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly ambiguous: boolean;
  readonly fieldErrors: Record<string, string[]>;
  readonly retryAfterMs: number | undefined;
  /** An earlier try of the same call was answered 500: its work may be done. */
  mayBeDone = false;

  constructor(code: MauticErrorCode, message: string, details: MauticErrorDetails = {}) {
    super(tidy(message), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.ambiguous = details.ambiguous ?? code === "ambiguous";
    this.retryable = details.retryable ?? passing.includes(code);
    this.fieldErrors = Object.fromEntries(
      Object.entries(details.fieldErrors ?? {}).map(([alias, said]) => [alias, said.map(tidy)]),
    );
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The code under which an answer of ours reports this error (shared/errors/codes.ts). */
export function answerCode(error: MauticError): ErrorCode {
  // There, `unauthorized` is the caller of ours who may not.
  return error.code === "unauthorized" ? "mautic_unauthorized" : error.code;
}

/** One line, bounded, without addresses. */
export function tidy(message: string): string {
  return maskAddresses(oneLine(message, 400));
}

/** Is this the error for a campaign or contact that is not there? */
export function isNotFound(error: unknown): error is MauticError {
  return error instanceof MauticError && error.code === "not_found";
}
