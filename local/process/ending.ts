/** When a program that keeps a stack running has to end. */
import { watchLauncher } from "./launcher.ts";

/** Milliseconds in which one Ctrl-C arrives: by the terminal, by npx and by `deno task`. */
const sameSignal = 500;

export type Ending = {
  /** Resolves when the program has to end. */
  promise: Promise<void>;
  hasBegun(): boolean;
};

/**
 * Watches for signals and for the end of `deno task` or npx. The second signal ends the program at
 * once; what is left then is cleaned up from outside (reaper.ts).
 */
export function watchForEnding(env: Record<string, string | undefined>): Ending {
  const { promise, resolve } = Promise.withResolvers<void>();
  let since: number | undefined;
  const end = () => {
    if (since !== undefined && performance.now() - since > sameSignal) Deno.exit(130);
    since ??= performance.now();
    resolve();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, end);
  watchLauncher(env, end);
  return { promise, hasBegun: () => since !== undefined };
}
