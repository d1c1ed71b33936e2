/** Notices the end of the programs that started us and would not pass it on. */

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

function parentOf(pid: number): number | undefined {
  try {
    if (Deno.build.os === "linux") {
      // "pid (name) state ppid …"; the name may hold anything, brackets too.
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    }
    const { stdout } = new Deno.Command("ps", { args: ["-o", "ppid=", "-p", String(pid)] })
      .outputSync();
    const parent = Number(new TextDecoder().decode(stdout));
    return parent > 0 ? parent : undefined;
  } catch {
    return undefined;
  }
}
