/** Notices the end of the programs that started us and would not pass it on. */
import { parentOf } from "./process_tree.ts";

/** Milliseconds between two looks. */
const interval = 500;

/**
 * Calls `onGone` once `deno task`, or the `npx` before it, has ended. npx passes no signal on: it
 * ends its own shell, and what the shell had started lives on. A stack that was started without
 * either outlives its shell, as one in the background should.
 */
export function watchLauncher(env: Record<string, string | undefined>, onGone: () => void): void {
  // Set by `deno task`, and by `npx` (npm exec), which has a shell between.
  const depth = env["INIT_CWD"] === undefined ? 0 : env["npm_command"] === "exec" ? 3 : 1;
  if (depth === 0) return;
  const launchers = ancestors(depth).join();
  const timer = setInterval(() => {
    if (ancestors(depth).join() === launchers) return;
    clearInterval(timer);
    onGone();
  }, interval);
  Deno.unrefTimer(timer);
}

/** Process ids of the parent, its parent and so on; fewer where the system does not tell. */
function ancestors(depth: number): number[] {
  const found = [Deno.ppid];
  while (found.length < depth) {
    const next = parentOf(found.at(-1) ?? 1);
    if (next === undefined) break;
    found.push(next);
  }
  return found;
}
