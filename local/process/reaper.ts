/** Folders for temporary files that go with the process, in whatever way it goes. */
import { join } from "node:path";
import { signal, startDaemon } from "./daemon.ts";

export type ReapedFolder = {
  folder: string;
  /** Removes it now. Can be called again. */
  remove(): Promise<void>;
};

/**
 * Waits for the end of process $1; then ends what runs from folder $2 or was told of it, Postgres
 * first and in its own way (a kill would leave its shared memory), and removes the folder. Three
 * times: what was just being started may come after the first look.
 */
const script = `
  while kill -0 "$1"; do sleep 0.5; done
  if read -r pid <"$2/data/postmaster.pid"; then
    kill -QUIT "$pid"
    while [ -e "$2/data/postmaster.pid" ] && kill -0 "$pid"; do sleep 0.1; done
  fi
  for round in 1 2 3; do
    for each in /proc/[0-9]*; do
      case "$(readlink "$each/exe")" in
        "$2"/*) kill -KILL "\${each#/proc/}" ;;
        *) if grep -qF "$2" "$each/environ"; then kill -KILL "\${each#/proc/}"; fi ;;
      esac
    done
    rm -rf "$2"
    sleep 0.2
  done
`;

/**
 * Makes a folder `lead-sync-…` in `parent`, watched from outside: when this process is gone (a kill,
 * a crash, a second Ctrl-C, the end of a test run, whose `unload` cannot wait for anything), what
 * runs in the folder is ended and the folder removed.
 *
 * It watches the process id and not a pipe: a pipe would close at the end of each test file, while
 * one Postgres serves all files of a test process.
 *
 * @throws {Error} when the folder cannot be made
 */
export async function reapedFolder(parent: string): Promise<ReapedFolder> {
  const folder = join(parent, `lead-sync-${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`);
  // The watch first: from its first moment on the folder does not depend on us.
  const pid = await startDaemon({
    command: ["/bin/sh", "-c", script, "reaper", String(Deno.pid), folder],
    cwd: "/",
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    log: "/dev/null",
  });
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    signal(pid, "SIGTERM");
    throw error;
  }
  let removed: Promise<void> | undefined;
  const remove = async () => {
    await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
    signal(pid, "SIGTERM");
  };
  return { folder, remove: () => removed ??= remove() };
}

/** Where temporary files usually go. */
export function temporaryFolder(): string {
  return Deno.env.get("TMPDIR") || "/tmp";
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
