/** One edge function in a process of its own. */
import { fileURLToPath } from "node:url";
import { z } from "zod";

export type FunctionProcessOptions = {
  /** URL of the function's main module. */
  entrypoint: string;
  /** The deno.json with its import map. Default: this project's. */
  config?: URL;
  /** Program and first arguments of the Deno that runs it. */
  deno: string[];
  /** The whole environment the function sees. */
  env: Record<string, string>;
  /** Takes each line the function prints. */
  log: (line: string) => void;
};

export type FunctionProcess = {
  pid: number;
  /** Where it takes requests; rejects when it ends before it does. */
  port: Promise<number>;
  ended: boolean;
  /** Resolves once it has ended. */
  finished: Promise<void>;
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>;
};

const runner = new URL("./runner.ts", import.meta.url).href;
const projectConfig = new URL("../../../deno.json", import.meta.url);
/**
 * The heap that the hosted edge runtime allows a function. V8 also sizes its young generation by it:
 * without a limit that grows with what passes through, to 200 MB in a drain that keeps 16 of them.
 */
const heapLimitMb = 256;
const listening = z.object({ event: z.literal("listening"), port: z.int() });

/** Starts a function, with the rights it has on the platform: network, environment, reading. */
export function startFunction(options: FunctionProcessOptions): FunctionProcess {
  const [program = Deno.execPath(), ...rest] = options.deno;
  const config = fileURLToPath(options.config ?? projectConfig);
  const child = new Deno.Command(program, {
    args: [...rest, "run", "--quiet", "--no-prompt", "--no-check", "--no-lock", "--config", config]
      .concat(`--v8-flags=--max-heap-size=${heapLimitMb}`)
      .concat("--allow-net", "--allow-env", "--allow-read", "--allow-sys", runner)
      .concat(options.entrypoint),
    clearEnv: true,
    env: options.env,
    // Never written to: its end tells the function that we are gone, however that came about.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    // Ctrl-C is ours to handle: work in flight is ended in order.
    detached: true,
  }).spawn();

  const port = Promise.withResolvers<number>();
  // Nobody may be waiting when it dies; whoever asks for the port later still sees the failure.
  port.promise.catch(() => {});
  const readers = [
    eachLine(child.stdout, (line) => {
      const ready = parseListening(line);
      if (ready === undefined) options.log(line);
      else port.resolve(ready);
    }),
    eachLine(child.stderr, options.log),
  ];
  const finished = child.status.then(async ({ code }) => {
    running.ended = true;
    await Promise.allSettled([...readers, child.stdin.abort()]);
    port.reject(new Error(`The function ended with exit code ${code} before it took requests`));
  });
  const running: FunctionProcess = {
    pid: child.pid,
    port: port.promise,
    ended: false,
    finished,
    kill: async () => {
      if (!running.ended) child.kill("SIGKILL");
      await finished;
    },
  };
  return running;
}

function parseListening(line: string): number | undefined {
  if (!line.startsWith('{"event":"listening"')) return undefined;
  return listening.parse(JSON.parse(line)).port;
}

async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
  if (rest !== "") take(rest);
}
