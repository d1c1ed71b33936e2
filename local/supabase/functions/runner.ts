/**
 * The main module of a function's process: offers what the hosted edge runtime offers, then loads
 * the function whose URL is the first argument. Runs on Deno 2.1 as on newer ones.
 *
 * It prints one line, `{"event":"listening","port":…}`, once the function takes requests.
 */
const [entrypoint = ""] = Deno.args;

const address: Deno.ServeTcpOptions = {
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => {
    const line = `${JSON.stringify({ event: "listening", port })}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  },
};

// Nothing comes from there but the end, when the stack is gone.
Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit());

const serve = Deno.serve;
let serving = false;

// Whatever port a function asks for, the platform gives it one of its own.
Object.defineProperty(Deno, "serve", {
  value: (first: unknown, second?: unknown) => {
    serving = true;
    return serve(address, handlerOf(second) ?? handlerOf(first) ?? missingHandler);
  },
});

function handlerOf(value: unknown): Deno.ServeHandler | undefined {
  if (typeof value === "function") return (request, info) => value(request, info);
  if (typeof value === "object" && value !== null && "handler" in value) {
    return handlerOf(value.handler);
  }
  return undefined;
}

function missingHandler(): Response {
  return Response.json({ message: "Deno.serve() was called without a handler" }, { status: 500 });
}

// A promise that outlives its request. A failure in one is logged; it must not end the process.
Object.defineProperty(globalThis, "EdgeRuntime", {
  value: {
    waitUntil: (promise: Promise<unknown>) => {
      promise.catch((error: unknown) => {
        const text = error instanceof Error ? error.stack ?? error.message : String(error);
        Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
      });
    },
  },
});

const module: { default?: { fetch?: unknown } } = await import(entrypoint);
const fetchHandler = handlerOf(module.default?.fetch);
if (fetchHandler !== undefined) Deno.serve(fetchHandler);
if (!serving) throw new Error(`${entrypoint} neither calls Deno.serve() nor exports a fetch()`);
