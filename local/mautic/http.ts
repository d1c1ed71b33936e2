/** Real HTTP on loopback in front of the emulated server; cuts and refuses connections for real. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { ConnectionCut } from "./server.ts";

export interface HttpFront {
  port: number;
  /** Refuses new connections and drops the open ones, or listens again on the same port. */
  setDown(isDown: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Port 0 takes a free one. */
export async function serveHttp(
  handle: (request: Request) => Promise<Response>,
  options: { hostname: string; port: number },
): Promise<HttpFront> {
  const server = createServer((incoming, outgoing) => {
    answer(handle, incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, options.hostname, () => {
        server.off("error", reject);
        resolve();
      });
    });
  const close = () =>
    new Promise<void>((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(options.port);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    port,
    async setDown(isDown) {
      if (isDown) await close();
      else if (!server.listening) await listen(port);
    },
    close,
  };
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  const method = incoming.method ?? "GET";
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  const body = concatenate(chunks);
  const request = new Request(`http://${incoming.headers.host ?? "localhost"}${incoming.url}`, {
    method,
    headers,
    signal: gone.signal,
    ...(method === "GET" || method === "HEAD" || body.length === 0 ? {} : { body }),
  });
  try {
    const response = await handle(request);
    const text = await response.text();
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(text);
  } catch (error) {
    if (!(error instanceof ConnectionCut)) throw error;
    if (error.partial !== null && !outgoing.destroyed) {
      // More is promised than will come.
      outgoing.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100000" });
      outgoing.write(error.partial, () => incoming.socket.destroy());
    } else {
      incoming.socket.destroy();
    }
  }
}

function concatenate(chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
