/** A line between two parts of the stack: a TCP proxy that does to a connection what networks do. */
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * What becomes of one HTTP request.
 * - `pass`: nothing happens to it.
 * - `cut_before`: the connection is closed, the server never hears of it.
 * - `cut_after`: the server does its work; the connection is closed before its answer.
 * - `cut_within`: the connection is closed in the middle of the answer.
 * - `half_open`: taken and never passed on nor answered; the connection stays.
 * - `no_answer`: passed on; the answer gets lost, the connection stays.
 * - `lateMs`: reaches the server so much later, even when the caller has gone meanwhile.
 * - `dripMs`: the answer comes 16 bytes at a time, with so much between.
 */
export type Fate =
  | "pass"
  | "cut_before"
  | "cut_after"
  | "cut_within"
  | "half_open"
  | "no_answer"
  | { lateMs: number }
  | { dripMs: number };

export interface Rule {
  /** Of method and path, as in `POST /api/contacts/new`. */
  match: RegExp;
  /** A function runs when the request has arrived, which waits for its end. */
  fate: Fate | (() => Promise<Fate>);
  /** How many requests meet it; 1 when left out. */
  times?: number;
  /** How many pass before. */
  skip?: number;
}

export interface Meeting {
  /** Resolves when the first request meets the rule. */
  met: Promise<void>;
  hits(): number;
  cancel(): void;
}

export interface Line extends AsyncDisposable {
  /** Where callers connect, without a trailing slash. */
  url: string;
  /** Where it leads; to be told before the first request. */
  leadTo(url: string): void;
  meet(rule: Rule): Meeting;
  /** Drops every open connection; new ones are refused until `mend()`. */
  tear(): Promise<void>;
  mend(): Promise<void>;
}

/** Opens a line on a free port of the loopback interface. `onTraffic` hears of every piece passed. */
export async function openLine(onTraffic: () => void): Promise<Line> {
  const armed = new Set<Armed>();
  const sockets = new Set<Socket>();
  let target: { port: number; host: string } | undefined;

  const server = createServer((client) => {
    if (target === undefined) return void client.destroy();
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // A peer that goes is what this is about.
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    join(client, upstream, (request) => fateOf(armed, request), onTraffic);
  });
  await listen(server, 0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The line has no port");
  const { port } = address;

  const tear = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    leadTo: (url) => {
      const { hostname, port } = new URL(url);
      target = { host: hostname, port: Number(port) };
    },
    meet: (rule) => arm(armed, rule),
    tear,
    mend: () => listen(server, port),
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await tear();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

interface Armed {
  rule: Rule;
  skip: number;
  left: number;
  meet: () => void;
}

function arm(armed: Set<Armed>, rule: Rule): Meeting {
  const { promise, resolve } = Promise.withResolvers<void>();
  const times = rule.times ?? 1;
  const entry: Armed = { rule, skip: rule.skip ?? 0, left: times, meet: resolve };
  armed.add(entry);
  return {
    met: promise,
    hits: () => times - entry.left,
    cancel: () => armed.delete(entry),
  };
}

async function fateOf(armed: Set<Armed>, request: string): Promise<Fate> {
  for (const entry of armed) {
    if (entry.left === 0 || !entry.rule.match.test(request)) continue;
    if (entry.skip > 0) {
      entry.skip--;
      continue;
    }
    entry.left--;
    entry.meet();
    const { fate } = entry.rule;
    return typeof fate === "function" ? await fate() : fate;
  }
  return "pass";
}

/**
 * Joins two sockets. A piece from the client that follows one from the server, or nothing, begins a
 * request: neither fetch nor Mautic pipelines.
 */
function join(
  client: Socket,
  upstream: Socket,
  decide: (request: string) => Promise<Fate>,
  onTraffic: () => void,
): void {
  let fate: Fate = "pass";
  let isAnswering = true;
  let isDeciding = false;

  client.on("data", async (piece) => {
    onTraffic();
    if (isAnswering) {
      isAnswering = false;
      isDeciding = true;
      client.pause();
      fate = await decide(requestOf(piece));
      if (typeof fate === "object" && "lateMs" in fate) await wait(fate.lateMs);
      isDeciding = false;
      client.resume();
    }
    if (fate === "cut_before") client.destroy();
    else if (fate !== "half_open") upstream.write(piece);
    if (client.destroyed) upstream.end();
  });
  // What was sent before the end still arrives.
  client.on("close", () => isDeciding || upstream.end());

  upstream.on("data", async (piece) => {
    onTraffic();
    isAnswering = true;
    if (fate === "no_answer") return;
    if (fate === "cut_after") return void client.destroy();
    if (fate === "cut_within") {
      return void client.write(piece.subarray(0, piece.length / 2), () => client.destroy());
    }
    if (typeof fate === "string" || !("dripMs" in fate)) return void client.write(piece);
    upstream.pause();
    for (let start = 0; start < piece.length && !client.destroyed; start += 16) {
      client.write(piece.subarray(start, start + 16));
      await wait(fate.dripMs);
    }
    upstream.resume();
  });
  upstream.on("close", () => {
    if (fate !== "half_open" && fate !== "no_answer") client.end();
  });
}

function requestOf(piece: Uint8Array): string {
  const [method = "", path = ""] = new TextDecoder().decode(piece.subarray(0, 2_000)).split(" ");
  return `${method} ${path}`;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
