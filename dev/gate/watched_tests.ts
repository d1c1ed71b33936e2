/** Runs tests and keeps watch over what they print and store, and over what Postgres logs meanwhile. */
import { canary, lookThrough, markVariable } from "../../local/canary/canary.ts";
import { denoEnvironment } from "../../local/process/deno_environment.ts";
import { logFolderVariable } from "../../local/postgres/postgres.ts";
import { endTree } from "../../local/process/process_tree.ts";
import { findsVariable } from "../../local/canary/stored_secrets.ts";

export interface Watched {
  success: boolean;
  /** All that it printed. */
  printed: string;
  /** Where a secret that was made for the tests turned up. */
  leaks: string[];
}

export interface WatchOptions {
  program: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Takes what is printed, as it comes. */
  write: (bytes: Uint8Array) => void;
  /** When aborted, the program and all that it started is ended. */
  within?: AbortSignal;
}

/**
 * Runs a program whose secrets all bear one mark, and looks for the mark: in everything it printed,
 * in the log of every Postgres it started, and in every row that its databases held at their end.
 */
export async function runWatched(options: WatchOptions): Promise<Watched> {
  const { program, args, cwd, env, write, within } = options;
  // Hexadecimal, as what Mautic makes.
  const mark = crypto.randomUUID().replaceAll("-", "");
  const folder = await Deno.makeTempDir({ prefix: "lead-sync-" });
  const logs = `${folder}/logs`;
  const finds = `${folder}/finds`;
  try {
    await Deno.writeTextFile(finds, "");
    await Deno.mkdir(logs);
    // Postgres may run as a user of its own.
    await Deno.chmod(folder, 0o711);
    await Deno.chmod(logs, 0o777);
    const child = new Deno.Command(program, {
      args,
      cwd,
      env: {
        ...denoEnvironment(),
        ...env,
        [markVariable]: mark,
        [logFolderVariable]: logs,
        [findsVariable]: finds,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const end = () => endTree(child.pid);
    within?.addEventListener("abort", end);
    const [said, noted, { success }] = await Promise.all([
      collect(child.stdout, write, within),
      collect(child.stderr, write, within),
      child.status,
    ]).finally(() => within?.removeEventListener("abort", end));
    const printed = said + noted;
    const texts: Record<string, string> = { "what was printed": printed };
    for await (const { name } of Deno.readDir(logs)) {
      texts[`the log of Postgres ${name}`] = await Deno.readTextFile(`${logs}/${name}`);
    }
    const leaks = lookThrough(texts, [canary("a secret", mark)]).map(({ where }) => {
      const line = (texts[where] ?? "").split("\n").find((each) => each.includes(mark)) ?? "";
      return `${where}: ${line.replaceAll(mark, "[mark]").slice(0, 300)}`;
    });
    const stored = (await Deno.readTextFile(finds)).split("\n").filter((line) => line !== "")
      .map((line) => `a row: ${line}`);
    return { success, printed, leaks: [...leaks, ...new Set(stored)] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  write: (bytes: Uint8Array) => void,
  within: AbortSignal | undefined,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      write(chunk);
      text += decoder.decode(chunk, { stream: true });
    },
  });
  // Who got away and still holds the other end is not waited for.
  await stream.pipeTo(sink, within && { signal: within }).catch((error) => {
    if (!within?.aborted) throw error;
  });
  return text + decoder.decode();
}
