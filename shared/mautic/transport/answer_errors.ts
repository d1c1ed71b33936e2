import { describeError, type ErrorCode } from "shared/errors/codes.ts";
import { type WireError, wireErrors } from "./error_shapes.ts";
import { MauticError, type MauticErrorCode, type MauticErrorDetails } from "./errors.ts";
import { askedDelayMs } from "./retry.ts";
import type { HttpAnswer } from "./transport.ts";

export interface Asked {
  /** Mautic's address, and the path below it that was asked for. */
  baseUrl: string;
  path: string;
  changes: boolean;
  now: number;
}

/** The error that an answer stands for; undefined: it is one to read. */
export function errorOfAnswer(answer: HttpAnswer, asked: Asked): MauticError | undefined {
  const { status, json } = answer;
  if (status < 200 || (status >= 300 && status < 400)) return redirected(answer, asked);
  const errors = wireErrors(json);
  if (status < 300) {
    if (json === undefined) return unreadable(status, asked, "The answer is not JSON");
    // Statistics put errors into a 200 (docs/mautic.md, "Statistics"); a batch has its own by item.
    const isBatch = typeof json === "object" && json !== null && "statusCodes" in json;
    const [first] = errors;
    return first && !isBatch ? errorOfItem(first.code ?? 400, first) : undefined;
  }
  const retryAfterMs = askedDelayMs(status, answer.headers, asked.now);
  const [first] = errors;
  return first
    ? errorByMautic(status, first, asked, retryAfterMs)
    : errorByOthers(status, asked, retryAfterMs);
}

/** The error of one item of a batch, or one Mautic puts into a 200. */
export function errorOfItem(status: number, error: WireError): MauticError {
  switch (status) {
    case 400:
      return refusal("validation_failed", status, error);
    case 401:
      return refusal("unauthorized", status, error);
    case 403:
      return refusal(error.type === "api_disabled" ? "api_disabled" : "forbidden", status, error);
    case 404:
      return refusal("not_found", status, error);
    case 422:
      return refusal("duplicate_contact", status, error);
    case 429:
      return refusal("rate_limited", status, error);
    default:
      return status < 500
        // 409, 423: locked by somebody at the moment.
        ? refusal("server_failed", status, error)
        : errorOfServer(status, error.message, {});
  }
}

/** An error in Mautic's own words. */
function errorByMautic(
  status: number,
  error: WireError,
  asked: Asked,
  retryAfterMs: number | undefined,
): MauticError {
  // Recorded: a missing item has `details`, an unknown route has none (api-unknown-route).
  if (status === 404 && error.details === undefined) {
    return unreadable(status, asked, `There is no ${asked.path}`);
  }
  if (status >= 500) return errorOfServer(status, error.message, { retryAfterMs }, asked.changes);
  if (status === 429) {
    return new MauticError("rate_limited", `Mautic answers 429: ${error.message}`, {
      status,
      retryAfterMs,
    });
  }
  return errorOfItem(status, error);
}

/** An error without Mautic's JSON: a proxy, a firewall, or a crash of PHP. */
function errorByOthers(
  status: number,
  asked: Asked,
  retryAfterMs: number | undefined,
): MauticError {
  if (status >= 500) {
    return errorOfServer(status, "no details", { retryAfterMs }, asked.changes);
  }
  switch (status) {
    case 401:
      return new MauticError("unauthorized", "Answered 401, but not by Mautic's API", { status });
    case 404:
    case 405:
      return unreadable(status, asked, `There is no ${asked.path}`);
    case 408:
    case 425:
      return new MauticError("unavailable", `Answered ${status}`, { status, retryAfterMs });
    case 429:
      return new MauticError("rate_limited", "Answered 429", { status, retryAfterMs });
    default:
      // A firewall that dislikes one lead's text must not stop the others, so this is treated as
      // a failure with this request; where everything fails, the caller sees that too.
      return new MauticError(
        "server_failed",
        `Answered ${status}, but not by Mautic's API: something in front of it refuses the request`,
        { status },
      );
  }
}

function errorOfServer(
  status: number,
  message: string,
  details: MauticErrorDetails,
  changes = true,
): MauticError {
  const said = `Mautic answers ${status}: ${message}`;
  if (status === 500) return new MauticError("server_failed", said, { ...details, status });
  if (status === 503 || !changes) {
    return new MauticError("unavailable", said, { ...details, status });
  }
  // 502, 504 and what gateways invent: PHP may still be at work behind them.
  return new MauticError("ambiguous", said, { ...details, status });
}

/** The codes whose message says what to do, because no lead is to blame. */
const remedies: Partial<Record<MauticErrorCode, ErrorCode>> = {
  forbidden: "forbidden",
  api_disabled: "api_disabled",
  unauthorized: "mautic_unauthorized",
};

function refusal(
  code: MauticErrorCode,
  status: number,
  error: WireError,
): MauticError {
  const remedy = remedies[code] ? ` ${describeError(remedies[code]).remedy}` : "";
  return new MauticError(code, `Mautic answers ${status}: ${error.message}${remedy}`, {
    status,
    fieldErrors: error.details ?? {},
  });
}

function unreadable(status: number, asked: Asked, what: string): MauticError {
  return new MauticError("bad_answer", `${what}. ${describeError("bad_answer").remedy}`, {
    status,
    // A change that was answered with a success we cannot read has probably been made.
    ambiguous: asked.changes && status < 300,
  });
}

/** A good answer of the wrong shape; `problem` names the place. */
export function wrongShape(problem: string, asked: Pick<Asked, "changes">): MauticError {
  return new MauticError("bad_answer", `The answer has another shape than Mautic's: ${problem}`, {
    ambiguous: asked.changes,
  });
}

function redirected(answer: HttpAnswer, { baseUrl, path }: Asked): MauticError {
  const location = answer.headers.get("Location") ?? "";
  const requested = new URL(baseUrl + path);
  const target = URL.canParse(location, requested.href) ? new URL(location, requested) : undefined;
  const pathname = requested.pathname.slice(new URL(baseUrl).pathname.replace(/\/$/, "").length);
  const base = target?.pathname.endsWith(pathname)
    ? target.origin + target.pathname.slice(0, -pathname.length)
    : target?.origin;
  return new MauticError(
    "bad_answer",
    `${baseUrl} redirects${
      base ? ` to ${base}: set MAUTIC_BASE_URL to that` : ": correct MAUTIC_BASE_URL"
    }`,
    { status: answer.status },
  );
}
