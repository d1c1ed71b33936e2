import type { Clock } from "shared/runtime/clock.ts";
import { silentLog } from "shared/runtime/log.ts";
import { createMauticClient } from "shared/mautic/client.ts";
import type { MauticClientOptions } from "shared/mautic/transport/request.ts";

/** A recorded exchange, as kept in tests/fixtures/mautic_client. */
export interface Recording {
  request: { method: string; path: string; body: unknown };
  response: { status: number; headers: [string, string][]; body: unknown };
}

export function recording(name: string): Recording {
  const file = new URL(`../fixtures/mautic_client/${name}.json`, import.meta.url);
  return JSON.parse(Deno.readTextFileSync(file));
}

/** The recorded answer, as the server sent it. */
export function answer(name: string): Response {
  const { status, headers, body } = recording(name).response;
  return new Response(JSON.stringify(body), { status, headers });
}

export interface TestServer {
  url: string;
  /** What arrived, in order. */
  requests: { method: string; url: URL; headers: Headers; body: string }[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server on loopback that answers the n-th request (from 0) with `answers(n, request)`. */
export function serve(answers: (index: number, request: Request) => Response | Promise<Response>) {
  const requests: TestServer["requests"] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const index = requests.length;
      const entry = {
        method: request.method,
        url: new URL(request.url),
        headers: request.headers,
        body: "",
      };
      requests.push(entry);
      entry.body = await request.text();
      return await answers(index, request);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/**
 * A server below HTTP: writes `reply` to a request and cuts the connection; with
 * `answersPerConnection`, writes it so often and cuts the connection at the request after.
 */
export function serveRaw(reply: string, { answersPerConnection = 0 } = {}) {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const counter = { requests: 0 };
  const bytes = new TextEncoder().encode(reply);

  async function converse(connection: Deno.Conn): Promise<void> {
    for (let answers = 0; await readRequest(connection); answers++) {
      counter.requests += 1;
      if (answersPerConnection > 0 && answers === answersPerConnection) return;
      if (bytes.length > 0) await connection.write(bytes);
      if (answersPerConnection === 0) return;
    }
  }
  const open = new Set<Deno.Conn>();
  const done = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      converse(connection).catch(() => {}).finally(() => {
        if (open.delete(connection)) connection.close();
      });
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    counter,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done;
      for (const connection of open) connection.close();
      open.clear();
    },
  };
}

/** Reads one whole request; false at the end of the connection. */
async function readRequest(connection: Deno.Conn): Promise<boolean> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (true) {
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (end >= 0 && text.length >= end + 4 + length) return true;
    const count = await connection.read(buffer);
    if (count === null) return false;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
  }
}

/** The address of a port that nobody listens on. */
export function refusingUrl(): string {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  listener.close();
  return `http://127.0.0.1:${listener.addr.port}`;
}

export interface TestClock extends Clock {
  /** The pauses made, in milliseconds. */
  pauses: number[];
  /** Lets every timeout that is running now run out. */
  expire(): void;
}

/**
 * A clock on which pauses take no time. Timeouts (sleeps with a signal) run until the signal comes
 * or the test lets them expire.
 */
export function testClock(start = Date.UTC(2026, 10, 23)): TestClock {
  let now = start;
  const pauses: number[] = [];
  const running = new Set<() => void>();
  return {
    pauses,
    now: () => now,
    async sleep(ms, signal) {
      if (!signal) {
        pauses.push(ms);
        now += ms;
        return;
      }
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const end = () => {
          running.delete(end);
          resolve();
        };
        running.add(end);
        signal.addEventListener("abort", end, { once: true });
      });
    },
    expire() {
      for (const end of [...running]) end();
    },
  };
}

export const retrySettings = { retries: 3, delayMs: 1_000, maxServerDelayMs: 10_000 };

/** A client whose tokens are "token-1", "token-2" … and whose random number is 0.5: no jitter. */
export function client(baseUrl: string, options: Partial<MauticClientOptions> = {}) {
  let number = 1;
  const dropped: string[] = [];
  const clock = testClock();
  return {
    clock,
    dropped,
    mautic: createMauticClient({
      baseUrl,
      tokens: {
        get: () => Promise.resolve(`token-${number}`),
        drop(token) {
          dropped.push(token);
          number += 1;
          return Promise.resolve();
        },
        lastFrom: () => undefined,
      },
      fetch,
      clock,
      random: () => 0.5,
      requestTimeoutMs: 30_000,
      retry: retrySettings,
      log: silentLog,
      correlationId: "trace",
      ...options,
    }),
  };
}
