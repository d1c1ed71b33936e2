import { failing, postponed } from "./failure.ts";
import type { Leased, Settled } from "./item.ts";
import { type FailureContext, notePassed, type Step } from "./run.ts";

/**
 * Makes a call for one item, unless sending is halted: what the call made of it, or the item settled
 * with what the error means. What a call has done before it may fail it hands to `keep`, for the
 * settle to record.
 */
export async function callFor<Next>(
  work: Leased,
  context: FailureContext,
  step: Step,
  call: (keep: (progress: Leased) => void) => Promise<Next>,
): Promise<Next | Settled> {
  if (context.run.halt) return postponed(work, context);
  let last = work;
  try {
    const next = await call((progress) => last = progress);
    notePassed(context.run, step);
    return next;
  } catch (error) {
    return failing(error, context, step)(last);
  }
}
