/** A Mautic 5.1.1 to develop and test against: the emulated server behind real HTTP. */
import { systemClock } from "shared/runtime/clock.ts";
import { marked } from "../canary/canary.ts";
import { serveHttp } from "./http.ts";
import { createMauticServer } from "./server.ts";
import type { MauticServer, MauticServerOptions } from "./server_types.ts";
import type { Deliver } from "./types.ts";

export interface MauticEmulatorOptions extends Partial<Omit<MauticServerOptions, "siteUrl">> {
  /** A free one when left out. */
  port?: number;
  /** `127.0.0.1` when left out. */
  hostname?: string;
}

/** One webhook request the emulator made. */
export interface Delivery {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Null when no connection came about. */
  status: number | null;
}

export interface MauticEmulator extends Omit<MauticServer, "setDown"> {
  /** Without a trailing slash. */
  url: string;
  deliveries: readonly Delivery[];
  /** Refuses connections until it is set up again. */
  setDown(isDown: boolean): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the emulator on loopback. It holds the product's custom fields, one published campaign
 * (`campaignId`) and a user; webhooks are added with `addWebhook`.
 *
 * @example
 * await using mautic = await startMauticEmulator();
 * await fetch(`${mautic.url}/oauth/v2/token`, { method: "POST", body: new URLSearchParams({
 *   grant_type: "client_credentials", client_id: mautic.clientId, client_secret: mautic.clientSecret,
 * }) });
 */
export async function startMauticEmulator(
  options: MauticEmulatorOptions = {},
): Promise<MauticEmulator> {
  const { port = 0, hostname = "127.0.0.1", ...rest } = options;
  const stopped = new AbortController();
  const deliver = options.deliver ?? deliverByFetch(stopped.signal);
  const deliveries: Delivery[] = [];
  let server: MauticServer | null = null;
  const front = await serveHttp((request) => mustBe(server).handle(request), { hostname, port });
  const url = `http://${hostname}:${front.port}`;
  server = createMauticServer({
    clock: {
      now: systemClock.now,
      sleep: (milliseconds) => systemClock.sleep(milliseconds, stopped.signal),
    },
    random: cryptoRandom,
    secretMark: marked(""),
    turn: nextTurn,
    ...rest,
    siteUrl: url,
    async deliver(target, request) {
      const delivery: Delivery = { url: target, ...request, status: null };
      deliveries.push(delivery);
      const { status } = await deliver(target, request);
      delivery.status = status;
      return { status };
    },
  });
  const running = server;
  const stop = async () => {
    // Whatever still waits gives up, so that nothing outlives the emulator.
    stopped.abort();
    await front.close();
    await running.waitFor(() => running.inFlight() === 0);
  };
  return {
    ...server,
    url,
    deliveries,
    setDown: (isDown) => front.setDown(isDown),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function mustBe(server: MauticServer | null): MauticServer {
  if (!server) throw new Error("The emulator was called before it was ready.");
  return server;
}

/** Requests that have arrived get their turn before this resolves. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function cryptoRandom(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

/** Redirects are not followed, as Mautic does not. */
function deliverByFetch(signal: AbortSignal): Deliver {
  return async (url, { headers, body }) => {
    const init: RequestInit = { method: "POST", headers, body, redirect: "manual", signal };
    const response = await fetch(url, init);
    await response.body?.cancel();
    return { status: response.status };
  };
}
