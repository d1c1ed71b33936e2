import { errorDescriptions } from "shared/errors/codes.ts";
import { type Result, withResult, type Work } from "./item.ts";

/** Long enough not to be a nuisance, short enough not to be waited for once the table is mended. */
const unreadableDelayMs = 600_000;

/**
 * Puts a lead back of which the table gives less than it did, because a column was renamed or dropped.
 * Nobody edits such a lead to have it sent again: it waits for who changed the table.
 */
export function postponedAsMissing(missing: string[]): Result {
  return {
    result: "postponed",
    delay_ms: unreadableDelayMs,
    error_code: "unreadable",
    error_message: `The table no longer gives ${missing.join(", ")}.`,
    error_remedy: errorDescriptions.unreadable.remedy,
  };
}

/**
 * A lead of which something is missing is not done, however much of it was sent. A result that is
 * worse stays as it is.
 */
export function unlessMissing(work: Work): Work {
  const missing = work.item.payload?.missing ?? [];
  const isDone = work.state === "unsettled" || work.result.result === "done";
  const isRemoval = work.item.operation === "remove";
  return isDone && !isRemoval && missing.length > 0
    ? withResult(work, postponedAsMissing(missing))
    : work;
}
