import { DatabaseError } from "shared/database/call.ts";
import { answerCode, MauticError, type MauticErrorCode } from "shared/mautic/transport/errors.ts";
import { backoff } from "../worker/backoff.ts";
import { die, open, type Work } from "./item.ts";
import type { Step, SyncContext } from "./run.ts";

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

/** Ends this run's sending; what is left goes back to the outbox. */
export function halt(
  { run, settings, log }: SyncContext,
  { code, retryAfterMs, status }: {
    code: string;
    retryAfterMs?: number | undefined;
    status?: number | undefined;
  },
): void {
  run.halt = { code, delayMs: retryAfterMs ?? 0 };
  log.warn("sending_halted", { code, status, batchSize: settings.batchSize });
}

/**
 * A call to our own database failed on the way of these items. It is never about a request that
 * Mautic may still be working on: those go on without the database. What Mautic did before is kept
 * in `work.contact` and recorded by the settle.
 */
export function failInDatabase(works: Work[], error: DatabaseError, context: SyncContext): void {
  context.log.warn("database_failed", { routine: error.routine, code: error.code });
  if (error.isUnavailable) halt(context, { code: "database_unavailable" });
  for (const work of works.filter(open)) {
    work.result = {
      result: "retry",
      delay_ms: backoff(work.item.attempt, context.random, undefined),
      error_code: "database_unavailable",
      error_message: error.message,
    };
  }
}

/** Gives an item the result that an error of Mautic means for it. */
export function fail(work: Work, error: MauticError, context: SyncContext): void {
  const { settings, random } = context;
  const { item } = work;
  if (error.code === "server_failed" || error.mayBeDone) work.mayBeDone = true;
  // 409, 423: somebody has it open; that passes.
  work.isToBlame = error.code === "server_failed" && ![409, 423].includes(error.status ?? 500);
  const aliases = Object.keys(error.fieldErrors);
  if (error.ambiguous) {
    work.result = {
      result: "ambiguous",
      delay_ms: settings.serverTimeLimitMs + graceMarginMs,
      error_code: error.code,
      error_message: error.message,
    };
  } else if (error.code === "duplicate_contact") {
    die(
      work,
      "duplicate_contact",
      "Another contact in Mautic has this e-mail, or several share it, and Mautic refuses every save of it. Merge them in Mautic, then replay the lead.",
    );
  } else if (error.code === "validation_failed" && aliases.includes("email")) {
    die(
      work,
      "invalid_email",
      `contact.email: Mautic refuses the address (${error.message}). Correct the lead; the edit sends it again.`,
    );
  } else if (error.code === "validation_failed") {
    die(
      work,
      "field_refused",
      `Mautic refuses ${
        aliases.join(", ") || "a field"
      }: ${error.message}. Correct the lead or the field in Mautic, then replay the lead.`,
    );
  } else if (error.code === "not_found" && work.contactId !== undefined && !work.sent) {
    work.result = { result: "gone" };
  } else {
    work.result = {
      result: "retry",
      delay_ms: backoff(item.attempt, random, error.retryAfterMs),
      error_code: answerCode(error),
      error_message: error.message,
    };
  }
}

/**
 * Once a batch is through: an item on which Mautic failed (500) in a request of its own, while the
 * same kind of request passed for others, is noted as suspect; after the fifth time a person has to
 * look.
 */
export function judge(work: Work, { run }: SyncContext): void {
  const { item, result } = work;
  if (result?.error_code !== "server_failed" || !work.isToBlame) return;
  if (!work.failedStep || !run.passed.has(work.failedStep)) return;
  if (item.failed_alone + 1 < failedAloneLimit) {
    result.failed_alone = true;
    return;
  }
  die(
    work,
    "mautic_failed",
    `Mautic failed on this lead alone ${failedAloneLimit} times (${result.error_message}). Look into Mautic's log, then replay the lead.`,
  );
}

/** Puts an item back that was not tried, because sending was halted: it counts as no attempt. */
export function postpone(work: Work, { run, random }: SyncContext): void {
  work.result = {
    result: "postponed",
    delay_ms: backoff(work.item.attempt, random, run.halt?.delayMs),
    error_code: run.halt?.code ?? "server_failed",
    error_message:
      "Not sent: Mautic or the database could not be reached or refused to work just now.",
  };
}

/**
 * Runs a call for `works`, unless sending is halted. A Mautic error becomes the result of each;
 * one that has nothing to do with them halts the run. So does a database that is not to be reached.
 */
export async function guarded(
  works: Work[],
  context: SyncContext,
  call: () => Promise<void>,
  step: Step = "other",
): Promise<void> {
  if (context.run.halt) return works.filter(open).forEach((work) => postpone(work, context));
  try {
    await call();
    context.run.answered = true;
    context.run.passed.add(step);
  } catch (error) {
    if (error instanceof DatabaseError) return failInDatabase(works, error, context);
    if (!(error instanceof MauticError)) throw error;
    if (isTrouble(error)) halt(context, error);
    for (const work of works) {
      if (!open(work)) continue;
      work.failedStep = step;
      fail(work, error, context);
    }
  }
}
