/** The API gateway of the local stack: `/rest/v1/…` and `/functions/v1/<name>` on one port. */
import type { DataApi } from "./data_api.ts";
import { denoEnvironment } from "../process/deno_environment.ts";
import { type FunctionProcess, startFunction } from "./functions/process.ts";
import { interruptibleSleep } from "../process/sleep.ts";

export type GatewayOptions = {
  /** Address to listen on. Default: the loopback interface. */
  hostname?: string;
  port: number;
  dataApi: DataApi;
  /** Folder that holds `<name>/index.ts`. */
  functionsFolder: URL;
  /** Functions that lie elsewhere, by name. */
  bundles?: FunctionBundles;
  /** What each function finds in its environment. May change until a function starts. */
  functionEnv: Record<string, string>;
  /** Program and first arguments of the Deno that runs the functions. Default: this one. */
  deno?: string[];
  /** Takes each line a function prints. */
  log: (functionName: string, line: string) => void;
};

/** Where each function's main module is, and the deno.json it was deployed with. */
export type FunctionBundles = Record<string, { entrypoint: URL; config: URL }>;

export type Gateway = {
  port: number;
  /** Starts a function ahead of its first request. */
  warmUp(name: string): Promise<void>;
  /** Ends a function's process with SIGKILL; the next request starts a new one. */
  kill(name: string): Promise<void>;
  /** Process id of a function that runs. */
  pid(name: string): number | undefined;
  stop(): Promise<void>;
};

/** Starts the gateway. A function starts with its first request. */
export function startGateway(options: GatewayOptions): Gateway {
  const processes = new Map<string, FunctionProcess>();
  let stopping = false;

  const processFor = (name: string): FunctionProcess => {
    const running = processes.get(name);
    if (running !== undefined && !running.ended) return running;
    const config = options.bundles?.[name]?.config;
    const started = startFunction({
      entrypoint: entrypointOf(options, name).href,
      ...(config === undefined ? {} : { config }),
      deno: options.deno ?? [Deno.execPath()],
      env: { ...denoEnvironment(), NO_COLOR: "1", ...options.functionEnv },
      log: (line) => options.log(name, line),
    });
    processes.set(name, started);
    return started;
  };

  const server = Deno.serve({
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port,
    onListen: () => {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/rest/v1/")) return await options.dataApi.fetch(request);
    const name = /^\/functions\/v1\/([\w-]+)/.exec(pathname)?.[1];
    if (name === undefined) return notFound(`No service answers ${pathname}`);
    if (stopping) return failure(503, "BOOT_ERROR", "The stack is shutting down");
    if (!(await exists(entrypointOf(options, name)))) {
      return notFound(`Requested function was not found: there is no ${name}/index.ts`);
    }
    return await forward(request, processFor(name));
  });

  return {
    port: server.addr.port,
    warmUp: async (name) => {
      await processFor(name).port;
    },
    kill: async (name) => {
      await processes.get(name)?.kill();
    },
    pid: (name) => {
      const running = processes.get(name);
      return running === undefined || running.ended ? undefined : running.pid;
    },
    stop: async () => {
      stopping = true;
      // The functions first: a request in flight ends with them, and the server waits for it.
      await Promise.all([...processes.values()].map((one) => one.kill()));
      await server.shutdown();
    },
  };
}

function entrypointOf({ bundles, functionsFolder }: GatewayOptions, name: string): URL {
  return bundles?.[name]?.entrypoint ?? new URL(`${name}/index.ts`, functionsFolder);
}

/**
 * Passes a request on as the platform does: the function sees `/<name>/…` as its path, and goes on
 * when the caller has gone away.
 */
async function forward(request: Request, target: FunctionProcess): Promise<Response> {
  let port: number;
  try {
    port = await target.port;
  } catch {
    return failure(503, "BOOT_ERROR", "Function failed to start (please check logs)");
  }
  const url = new URL(request.url);
  const path = url.pathname.slice("/functions/v1".length) + url.search;
  const headers = new Headers(request.headers);
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
    const answer = new Headers(response.headers);
    // fetch() has unpacked the body.
    answer.delete("content-encoding");
    answer.delete("content-length");
    return new Response(response.body, { status: response.status, headers: answer });
  } catch {
    // Most often it is dying: the next request must not go to it as well.
    const patience = interruptibleSleep();
    await Promise.race([target.finished, patience.sleep(1000)]);
    patience.end();
    return failure(
      546,
      "WORKER_LIMIT",
      "The function ended before it answered (please check logs)",
    );
  }
}

function notFound(message: string): Response {
  return failure(404, "NOT_FOUND", message);
}

function failure(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status });
}

async function exists(url: URL): Promise<boolean> {
  try {
    return (await Deno.stat(url)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
