/** Processes that live on their own: in a session of theirs, and no resource of this process. */

export type DaemonOptions = {
  command: string[];
  cwd: string;
  env: Record<string, string>;
  /** File that takes what it prints. */
  log: string;
  user?: { uid: number; gid: number } | undefined;
};

/**
 * Starts a process that Ctrl-C in this terminal does not reach, and that a test's leak check does
 * not count as the test's own (one Postgres serves all test files of a process).
 *
 * @returns its process id
 */
export async function startDaemon(options: DaemonOptions): Promise<number> {
  const shell = new Deno.Command("/bin/sh", {
    // The shell ends at once and leaves its child to the system.
    args: ["-c", 'log="$1"; shift; "$@" >>"$log" 2>&1 </dev/null & echo $!', "sh", options.log]
      .concat(options.command),
    cwd: options.cwd,
    clearEnv: true,
    env: options.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
    ...options.user,
    // `output()` of the command itself would leave it in our session: Deno (2.9) detaches only what is
    // spawned.
  }).spawn();
  const { success, stdout, stderr } = await shell.output();
  const pid = Number(new TextDecoder().decode(stdout));
  if (!success || !Number.isInteger(pid) || pid <= 0) {
    throw new Error(
      `Cannot start ${options.command[0]}: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
  return pid;
}

/** Sends a signal; false when there is no such process any more. */
export function signal(pid: number, name: Deno.Signal): boolean {
  try {
    Deno.kill(pid, name);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof TypeError) return false;
    throw error;
  }
}

/** Milliseconds between two looks at a file that another process writes. */
const pollInterval = 10;

/**
 * Waits until `condition` holds.
 *
 * @throws {Error} with `failure()` as its message after `timeout` milliseconds
 */
export async function until(
  condition: () => Promise<boolean>,
  timeout: number,
  failure: () => Promise<string>,
): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(await failure());
    await new Promise((resolve) => setTimeout(resolve, pollInterval));
  }
}
