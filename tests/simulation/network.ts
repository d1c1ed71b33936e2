import { ConnectionCut } from "../../local/mautic/server.ts";
import type { FaultKind } from "../../local/mautic/faults.ts";
import type { MauticServer } from "../../local/mautic/server_types.ts";
import type { SimulatedDatabase } from "./database.ts";
import { freeze, type FunctionProcess, kill, type ProcessFetch } from "./function_process.ts";
import type { FaultRates } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the observers are told of a request to Mautic. */
export interface MauticCall {
  process: string;
  request: Request;
  path: string;
  body: unknown;
  arrivedAt: number;
}

export interface NetworkOptions {
  scheduler: Scheduler;
  random: Random;
  database: SimulatedDatabase;
  mautic: MauticServer;
  serverTimeLimitMs: number;
  rates(): FaultRates;
  note(line: string): void;
  /** Right after the database did it; `routine` is the function's name, `body` what it was given. */
  onDatabaseCall(routine: string, body: unknown, answer: string): Promise<void>;
  /** Right before Mautic begins with it. */
  onArrival(call: MauticCall): void;
  /** Right before the process hears the answer. */
  onAnswer(call: MauticCall, status: number, body: string): void;
}

const mauticFaults: FaultKind[] = [
  "500",
  "500_after",
  "502_after",
  "503",
  "504_after",
  "429",
  "html",
  "hang_before",
  "hang_after",
  "slow",
  "cut_before",
  "cut_after",
];
type Heard = (answer: () => void, ms: number) => void;

/**
 * The only way out of a process. Each call is three events: it arrives, it is answered, and the
 * process hears of it; between any two the process may die or freeze, and the call may fail with
 * and without its work done.
 */
export function createNetwork(options: NetworkOptions): { fetch: ProcessFetch } {
  const { scheduler, random, database, mautic, serverTimeLimitMs, note } = options;

  function mayDie(process: FunctionProcess, rate: number, where: string): boolean {
    if (!process.isAlive || !random.chance(rate)) return !process.isAlive;
    note(`${process.name} killed ${where}`);
    kill(process);
    return true;
  }

  function delay(usual: [number, number]): number {
    return random.chance(options.rates().slowNetwork)
      ? random.between(200, 3_000)
      : random.between(...usual);
  }

  function fetch(process: FunctionProcess, request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const isDatabase = pathname.startsWith("/rest/");
    const where = `${request.method} ${pathname.replace("/rest/v1/rpc/", "rpc ")}`;
    if (random.chance(options.rates().freeze)) {
      const ms = random.between(2_000, 130_000);
      note(`${process.name} frozen for ${ms} ms at ${where}`);
      freeze(process, scheduler.now(), ms);
    }
    if (mayDie(process, options.rates().killBefore, `before ${where}`)) return never();
    return new Promise((resolve, reject) => {
      const heard: Heard = (answer, ms) => {
        if (mayDie(process, options.rates().killAfter, `after ${where}`)) return;
        process.wake(ms, answer);
      };
      scheduler.after(
        delay(isDatabase ? [1, 5] : [5, 40]),
        () =>
          isDatabase
            ? callDatabase(process, request, where, heard, resolve, reject)
            : callMautic(process, request, where, heard, resolve, reject),
      );
    });
  }

  async function callDatabase(
    process: FunctionProcess,
    request: Request,
    where: string,
    heard: Heard,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const broken = database.isDown()
      ? "refused"
      : random.chance(options.rates().database)
      ? random.pick(["refused", "lost", "hung", "hung_before"] as const)
      : undefined;
    if (broken) {
      note(`${process.name} database ${broken}: ${where}`);
    }
    const timedOut = () => reject(new DOMException("Signal timed out.", "TimeoutError"));
    if (broken === "refused") {
      return heard(() => reject(new TypeError("client error (Connect): refused")), 1);
    }
    if (broken === "hung_before") return heard(timedOut, process.databaseTimeoutMs);
    const given = parse(await scheduler.track(request.clone().text()));
    const { status, body, headers } = await database.request(request);
    if (status < 300) {
      await options.onDatabaseCall(where.replace("POST rpc ", ""), given, body);
    } else note(`${process.name} ${where} answered ${status} ${body.slice(0, 200)}`);
    if (broken === "lost") return heard(() => reject(new TypeError("connection closed")), 1);
    if (broken === "hung") return heard(timedOut, process.databaseTimeoutMs);
    const empty = status === 204 || body === "";
    const restarts = database.restarts();
    heard(() => {
      if (database.restarts() !== restarts) {
        reject(new TypeError("connection closed"));
      } else resolve(new Response(empty ? null : body, { status, headers }));
    }, delay([1, 5]));
  }

  async function callMautic(
    process: FunctionProcess,
    request: Request,
    where: string,
    heard: Heard,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const text = await scheduler.track(request.clone().text());
    const { pathname: path } = new URL(request.url);
    const call: MauticCall = {
      process: process.name,
      request,
      path,
      body: parse(text),
      arrivedAt: scheduler.now(),
    };
    const stop = new AbortController();
    const give = () => stop.abort();
    process.onDeath.push(give);
    if (request.signal.aborted) give();
    else request.signal.addEventListener("abort", give, { once: true });
    // A server ends by itself, also when its caller cannot even hang up.
    scheduler.after(serverTimeLimitMs, give);

    const kind = random.chance(options.rates().mautic) ? random.pick(mauticFaults) : undefined;
    if (kind) {
      const delayMs = random.between(1_000, serverTimeLimitMs - 4_000);
      const retryAfterSeconds = random.chance(0.5) ? random.between(0, 20) : undefined;
      note(`${process.name} mautic ${kind}${kind === "slow" ? ` ${delayMs} ms` : ""}: ${where}`);
      mautic.failNext({
        kind,
        delayMs,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      });
    }
    options.onArrival(call);
    if (path.startsWith("/api/")) process.openCalls++;
    const relayed = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      signal: stop.signal,
      ...(request.method === "GET" ? {} : { body: text }),
    });
    mautic.handle(relayed).then(async (response) => {
      const body = await scheduler.track(response.text());
      heard(() => {
        options.onAnswer(call, response.status, body);
        const { status, headers } = response;
        resolve(new Response(body, { status, headers }));
      }, delay([1, 10]));
    }).catch((error) => {
      const message = error instanceof ConnectionCut ? "connection closed" : String(error);
      if (!kind && error instanceof ConnectionCut) note(`${process.name} mautic away: ${where}`);
      heard(() => reject(new TypeError(message)), delay([1, 10]));
    }).finally(() => {
      if (path.startsWith("/api/")) process.openCalls--;
    });
  }

  return { fetch };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
