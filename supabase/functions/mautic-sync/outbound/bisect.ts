import { MauticError } from "shared/mautic/transport/errors.ts";
import { failed, failing, postponed } from "./failure.ts";
import type { Unsettled, Work } from "./item.ts";
import { type FailureContext, halt, notePassed, type Step } from "./run.ts";

/** One request about many leads, and what else there is to say of it. */
export interface BatchRequest<T extends Unsettled> {
  step: Step;
  /** Sends it. `isPart`: a request about more than these has failed a moment ago. */
  send(some: T[], isPart: boolean): Promise<Work[]>;
  /**
   * How far it reaches that two leads failed alone with nothing in between that passed.
   * - `request`: the rest of this request is put back, not tried. The run goes on, because what
   *   fails to be read says nothing of what others have to save.
   * - `run`: failures count across all batches of the run, and as long as none of them has ever
   *   passed the second one halts the run. For saves: where none gets through, the circuit breaker
   *   has to hear of it.
   */
  scope: "request" | "run";
  /** Errors beside a 500 that may be the doing of a lead that was alone in its request. */
  isPerhapsItsDoing?(error: MauticError, work: T): boolean;
  /** What becomes of each lead when a request is split: some of it may have been done. */
  whenSplit?(work: T): T;
}

/**
 * Sends one request about many leads. Mautic answers 500 to all of it where it fails on one of
 * them: halves are sent until the guilty one stands alone, e.g. 50, 25, 13, 7, 4, 2, 1.
 *
 * Two that fail alone with none in between that passed: it is not them, Mautic fails on everything.
 * Else each of 50 leads would be tried alone, against a server that is down, and be held suspect
 * for it. What follows is the request's `scope`.
 */
export async function bisect<T extends Unsettled>(
  works: T[],
  context: FailureContext,
  request: BatchRequest<T>,
): Promise<Work[]> {
  const { run } = context;
  const { step, scope } = request;
  let failedAlone = scope === "run" ? run.savesFailedAlone : 0;
  const setFailedAlone = (failures: number) => {
    failedAlone = failures;
    if (scope === "run") run.savesFailedAlone = failures;
  };
  return await part(works, false);

  async function part(some: T[], isPart: boolean): Promise<Work[]> {
    const isGivenUp = scope === "request" && failedAlone >= 2;
    if (run.halt || isGivenUp) return some.map((work) => postponed(work, context));
    const [only, ...others] = some;
    if (only === undefined) return [];
    try {
      const sent = await request.send(some, isPart);
      setFailedAlone(0);
      notePassed(run, step);
      return sent;
    } catch (error) {
      if (!(error instanceof MauticError)) return some.map(failing(error, context, step));
      if (error.code === "server_failed" && others.length > 0) return await halves(some);
      const isItsDoing = error.code === "server_failed" ||
        others.length === 0 && request.isPerhapsItsDoing?.(error, only);
      if (!isItsDoing) return some.map(failing(error, context, step));
      setFailedAlone(failedAlone + 1);
      if (scope === "run" && failedAlone >= 2 && !run.passed.has(step)) halt(context, error);
      return some.map((work) => failed(work, error, context, step));
    }
  }

  async function halves(some: T[]): Promise<Work[]> {
    const { whenSplit } = request;
    const all = whenSplit ? some.map(whenSplit) : some;
    const middle = Math.ceil(all.length / 2);
    const first = await part(all.slice(0, middle), true);
    return [...first, ...await part(all.slice(middle), true)];
  }
}
