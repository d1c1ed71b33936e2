import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { startSync, type Sync } from "../support/sync.ts";

/** How one request is answered; the body has been read. */
export type Misbehaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
) => void;

export interface HostileMautic extends AsyncDisposable {
  url: string;
  /** The Mautic behind it, to which all goes that is not answered here. */
  target: string;
  /** Answers the requests whose path matches, until {@link heal}. */
  misbehave(path: RegExp, how: Misbehaviour): void;
  heal(): void;
  /** How often it has answered itself. */
  misbehaved(): number;
  /** Resolves once a connection that it was answering on has been closed by the other side. */
  hungUp: Promise<void>;
}

/** A server in front of a Mautic that answers some requests itself, as no Mautic would. */
export async function startHostileMautic(): Promise<HostileMautic> {
  let path = /^$/;
  let how: Misbehaviour = () => {};
  let count = 0;
  const hungUp = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = new TextDecoder().decode(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])));
    response.on("error", () => {});
    if (path.test(request.url ?? "")) {
      count++;
      response.on("close", () => {
        if (!response.writableFinished) hungUp.resolve();
      });
      return how(request, response, body);
    }
    const { authorization = "", "content-type": type = "application/json" } = request.headers;
    const answer = await fetch(`${hostile.target}${request.url}`, {
      method: request.method ?? "GET",
      headers: { authorization, "content-type": type },
      ...(request.method === "GET" ? {} : { body }),
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const hostile: HostileMautic = {
    url: `http://127.0.0.1:${port}`,
    target: "",
    misbehave(which, as) {
      path = which;
      how = as;
    },
    heal() {
      path = /^$/;
    },
    misbehaved: () => count,
    hungUp: hungUp.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return hostile;
}

/** Answers with this text, as JSON unless said otherwise. */
export function answer(
  text: string,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Misbehaviour {
  return (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(text);
  };
}

/** Writes `piece` again and again until the other side hangs up. */
export function endless(head: string, piece: string, everyMs = 0): Misbehaviour {
  return (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write(head);
    const more = () => {
      if (response.destroyed) return;
      if (everyMs > 0) {
        response.write(piece);
        setTimeout(more, everyMs);
      } else if (response.write(piece)) setImmediate(more);
      else response.once("drain", more);
    };
    more();
  };
}

/** mautic-sync, and a Mautic that can be made hostile. */
export interface HostileWorld extends AsyncDisposable {
  sync: Sync;
  hostile: HostileMautic;
}

export async function startHostileWorld(env: Record<string, string> = {}): Promise<HostileWorld> {
  await using cleanup = new AsyncDisposableStack();
  const hostile = cleanup.use(await startHostileMautic());
  const sync = cleanup.use(
    await startSync({
      env: {
        MAUTIC_BASE_URL: hostile.url,
        MAUTIC_REQUEST_TIMEOUT_MS: "1500",
        MAUTIC_SERVER_TIME_LIMIT_MS: "0",
        ...env,
      },
    }),
  );
  hostile.target = sync.mautic.url;
  const rest = cleanup.move();
  return { sync, hostile, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

export const token = /^\/oauth/;
export const save = /^\/api\/contacts\/(new|batch\/new)/;

/** Mautic's answer with a token. */
export function give(expires: string, text = '"a-token"'): string {
  return `{"access_token":${text},"expires_in":${expires},"token_type":"bearer"}`;
}
