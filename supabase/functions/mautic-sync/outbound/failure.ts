import { DatabaseError } from "shared/database/call.ts";
import { type DeadReason, errorDescriptions } from "shared/errors/codes.ts";
import { answerCode, MauticError, type MauticErrorCode } from "shared/mautic/transport/errors.ts";
import { backoff } from "../worker/backoff.ts";
import { askedId, type Leased, type Result, type Settled, withResult, type Work } from "./item.ts";
import { areRequired, postponedAsRequired, requiredOf } from "./required.ts";
import { type FailureContext, halt, type Step } from "./run.ts";

/** After this many failures in a request of its own, while others passed, a person has to look. */
const failedAloneLimit = 5;
/** Added to the server's own time limit before a request of unknown outcome is repeated. */
const graceMarginMs = 5_000;

/** Codes that have nothing to do with the item at hand: nothing else would get through either. */
const trouble: readonly MauticErrorCode[] = [
  "unavailable",
  "rate_limited",
  "ambiguous",
  "unauthorized",
  "forbidden",
  "api_disabled",
  "oauth_refused",
  "bad_answer",
  "lease_too_short",
];

/** Should sending stop for now? A 500 alone does not say so: one poisonous item can cause it. */
export function isTrouble(error: MauticError): boolean {
  return error.ambiguous || trouble.includes(error.code);
}

/**
 * Ends an item as a dead letter. `message` says what happened and names the field; what to do about
 * it is said by the list of codes.
 */
export function dead(code: DeadReason, message: string): Result {
  const { remedy } = errorDescriptions[code];
  return { result: "dead", error_code: code, error_message: message, error_remedy: remedy };
}

/** The result that an error of Mautic means for an item. */
function resultOf(work: Leased, error: MauticError, { settings, random }: FailureContext): Result {
  const aliases = Object.keys(error.fieldErrors);
  // Mautic's own sentence may bring its full stop.
  const said = error.message.replace(/\.+$/, "");
  if (error.ambiguous) {
    return {
      result: "ambiguous",
      delay_ms: settings.serverTimeLimitMs + graceMarginMs,
      error_code: error.code,
      error_message: error.message,
    };
  }
  if (error.code === "duplicate_contact") {
    return dead(
      "duplicate_contact",
      "Another contact in Mautic has this e-mail, or several share it, and Mautic refuses every save of it.",
    );
  }
  const required = requiredOf(work, error);
  if (required && required.lacking.length > 0) {
    return dead("field_refused", `${areRequired(required.lacking)}, the lead has none.`);
  }
  if (required) return postponedAsRequired(required.unsent);
  if (error.code === "validation_failed" && aliases.includes("email")) {
    return dead("invalid_email", `contact.email: Mautic refuses the address (${said}).`);
  }
  if (error.code === "validation_failed") {
    const named = aliases.join(", ") || "a field";
    return dead("field_refused", `Mautic refuses ${named}: ${said}.`);
  }
  if (error.code === "not_found" && askedId(work) !== undefined && work.reach.stage !== "saved") {
    return { result: "gone" };
  }
  return {
    result: "retry",
    delay_ms: backoff(work.item.attempt, random, error.retryAfterMs),
    error_code: answerCode(error),
    error_message: error.message,
  };
}

/**
 * Settles an item with what an error of Mautic means for it. `step`: the error came to a request of
 * its own; null: it is what a batch says of this item.
 */
export function failed(
  work: Leased,
  error: MauticError,
  context: FailureContext,
  step: Step | null,
): Settled {
  const isServers = error.code === "server_failed";
  // 409, 423: somebody has it open; that passes.
  const isToBlame = isServers && ![409, 423].includes(error.status ?? 500);
  const mayBeDone = work.mayBeDone || isServers || error.mayBeDone;
  const result = resultOf(work, error, context);
  return withResult({ ...work, mayBeDone }, result, isToBlame ? step : null);
}

/**
 * What an error means for the items that it met: a function that settles them. An error that has
 * nothing to do with them halts the run: a Mautic that is down or refuses us, a database that is
 * not to be reached. Any other than Mautic's and the database's is raised again.
 */
export function failing(
  error: unknown,
  context: FailureContext,
  step: Step,
): (work: Leased) => Settled {
  if (error instanceof DatabaseError) return failingDatabase(error, context);
  if (!(error instanceof MauticError)) throw error;
  if (isTrouble(error)) halt(context, error);
  return (work) => failed(work, error, context, step);
}

/**
 * A call to our own database failed on the way of these items. It is never about a request that
 * Mautic may still be working on: those go on without the database. What Mautic answered before is
 * kept with the item and recorded by the settle.
 */
function failingDatabase(error: DatabaseError, context: FailureContext): (work: Leased) => Settled {
  context.log.warn("database_failed", { routine: error.routine, code: error.code });
  if (error.isUnavailable) halt(context, { code: "database_unavailable" });
  return (work) =>
    withResult(work, {
      result: "retry",
      delay_ms: backoff(work.item.attempt, context.random),
      error_code: "database_unavailable",
      error_message: error.message,
    });
}

/** Puts an item back that was not tried, because sending was halted: it counts as no attempt. */
export function postponed(work: Leased, { run, random }: FailureContext): Settled {
  return withResult(work, {
    result: "postponed",
    delay_ms: backoff(work.item.attempt, random, run.halt?.delayMs),
    error_code: run.halt?.code ?? "server_failed",
    error_message:
      "Not sent: Mautic or the database could not be reached or refused to work just now.",
  });
}

/**
 * Once a batch is through: an item on which Mautic failed (500) in a request of its own, while the
 * same kind of request passed for others, is noted as suspect; after the fifth time a person has to
 * look.
 */
export function judged(work: Work, { run }: FailureContext): Work {
  if (work.state === "unsettled" || work.blamed === null || !run.passed.has(work.blamed)) {
    return work;
  }
  if (work.result.error_code !== "server_failed") return work;
  if (work.item.failed_alone + 1 < failedAloneLimit) {
    return { ...work, result: { ...work.result, failed_alone: true } };
  }
  return withResult(
    work,
    dead(
      "mautic_failed",
      `Mautic failed on this lead alone ${failedAloneLimit} times (${work.result.error_message}).`,
    ),
  );
}
