import { MauticError } from "shared/mautic/transport/errors.ts";
import { guarded, postpone } from "./failure.ts";
import { open, type Work } from "./item.ts";
import type { Step, SyncContext } from "./run.ts";

/**
 * As {@link guarded} for one request about many: a 500 halves them until the guilty one stands alone.
 * Two that fail alone with none in between that passed: it is not them, and the rest is not tried.
 */
export async function guardedInHalves(
  works: Work[],
  context: SyncContext,
  call: (works: Work[]) => Promise<void>,
  step: Step,
): Promise<void> {
  let failedAlone = 0;
  const attempt = async (some: Work[]): Promise<void> => {
    if (context.run.halt || failedAlone > 1) {
      return some.filter(open).forEach((work) => postpone(work, context));
    }
    if (some.length === 0) return;
    let outcome = () => Promise.resolve();
    try {
      await call(some);
      failedAlone = 0;
    } catch (error) {
      if (error instanceof MauticError && error.code === "server_failed") {
        if (some.length > 1) {
          const middle = Math.ceil(some.length / 2);
          await attempt(some.slice(0, middle));
          return await attempt(some.slice(middle));
        }
        failedAlone++;
      }
      outcome = () => Promise.reject(error);
    }
    await guarded(some, context, outcome, step);
  };
  await attempt(works);
}
