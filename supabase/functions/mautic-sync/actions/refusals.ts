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

/** States in which nothing is sent: nobody said it may be, an operator paused it, or the circuit is open. */
const refused = {
  not_live: ["not_live", "Nobody has said yet that this project sends to this Mautic."],
  paused: ["paused", "Sending to Mautic is paused."],
  open: [
    "unavailable",
    "Mautic failed again and again; nothing is sent until a probe gets through.",
  ],
} as const satisfies Record<string, Failure>;

/** The refusal where nothing is sent in this state; undefined: it is. */
export function notSending(state: string): Failure | undefined {
  return Object.hasOwn(refused, state) ? [...refused[state as keyof typeof refused]] : undefined;
}

/** A lead payload with faults, each named by its place in the request's body. */
export function malformedLead(issues: Issue[]): Failure {
  const details = issues.map((issue) => ({ ...issue, path: `payload.${issue.path}` }));
  return ["invalid_body", "The lead is not well formed.", { details }];
}
