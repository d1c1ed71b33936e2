/** Cleans up behind a process that had no chance to do it itself. */
import { signal, startDaemon } from "./daemon.ts";

const script = `
  while kill -0 "$1"; do
    [ -d "$2" ] || exit 0
    sleep 0.5
  done
  if read -r pid <"$2/data/postmaster.pid"; then
    kill -QUIT "$pid"
    while [ -e "$2/data/postmaster.pid" ] && kill -0 "$pid"; do sleep 0.1; done
  fi
  rm -rf "$2"
`;

/**
 * Watches this process from outside. When it is gone, by whatever way (a kill, a crash, the end of
 * a test run, whose `unload` cannot wait for anything), the Postgres in `folder` is ended and the
 * folder removed.
 *
 * It watches the process id and not a pipe: a pipe would close at the end of each test file, while
 * one Postgres serves all files of a test process.
 *
 * @returns a function that dismisses the watcher
 */
export async function reapAfterUs(folder: string): Promise<() => void> {
  const pid = await startDaemon({
    command: ["/bin/sh", "-c", script, "reaper", String(Deno.pid), folder],
    cwd: "/",
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    log: "/dev/null",
  });
  return () => void signal(pid, "SIGTERM");
}
