import { messageOf } from "shared/errors/message.ts";
import type { Failure } from "shared/http/answer.ts";
import type { Issue } from "shared/lead/issue.ts";
import { answerCode, MauticError } from "shared/mautic/transport/errors.ts";
import type { ActionContext } from "../connect.ts";

/** Gives the answer of `call`, or where Mautic failed the one that says so. */
export async function answerMauticErrors(
  { answers, log }: ActionContext,
  call: () => Promise<Response>,
): Promise<Response> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof MauticError)) throw error;
    log.warn("mautic_error", { code: error.code, status: error.status });
    return answers.fail(answerCode(error), messageOf(error));
  }
}

/** Nothing is sent just now: an operator paused it, or the circuit is open. */
export function notSending(state: "paused" | "open"): Failure {
  return state === "paused"
    ? ["paused", "Sending to Mautic is paused."]
    : ["unavailable", "Mautic failed again and again; nothing is sent until a probe gets through."];
}

/** A lead payload with faults, each named by its place in the request's body. */
export function malformedLead(issues: Issue[]): Failure {
  const details = issues.map((issue) => ({ ...issue, path: `payload.${issue.path}` }));
  return ["invalid_body", "The lead is not well formed.", { details }];
}
