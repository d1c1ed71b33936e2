/** Notices the end of the programs that started us and would not pass it on. */
import { commandOf, parentOf } from "./process_tree.ts";

/** Milliseconds between two looks. */
const interval = 500;

type Env = Record<string, string | undefined>;

/**
 * Calls `onGone` once `deno task`, or the `npx` before it, has ended: npx (npm 11) passes a signal on
 * to its own shell only, and what that shell had started lives on. A stack that was started without
 * either outlives its shell, as one in the background should.
 */
export function watchLauncher(env: Env, onGone: () => void): void {
  // Set by `deno task`.
  if (env["INIT_CWD"] === undefined) return;
  const depth = isByNpx(env) ? depthOfNpx() : 1;
  const launchers = depth === undefined ? undefined : ancestors(depth).join();
  const timer = setInterval(() => {
    if (depth !== undefined && ancestors(depth).join() === launchers) return;
    clearInterval(timer);
    onGone();
  }, interval);
  Deno.unrefTimer(timer);
}

/** npx says what it runs: these variables may also be inherited from one that runs something else. */
function isByNpx(env: Env): boolean {
  return env["npm_command"] === "exec" &&
    /^["']?deno\b/.test(env["npm_lifecycle_script"] ?? "");
}

/**
 * How far up npx is: there may be a shell between. Undefined: it is gone already, and `deno task` was
 * given to process 1.
 */
function depthOfNpx(): number | undefined {
  const [task, ...above] = ancestors(3);
  const at = above.findIndex((pid) => isNpx(commandOf(pid) ?? ""));
  if (at !== -1) return at + 2;
  return task === 1 || above[0] === 1 ? undefined : 3;
}

function isNpx(command: string): boolean {
  return /^npm exec |^\S*node\S* \S*np[mx]/.test(command);
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
