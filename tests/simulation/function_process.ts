import type { Clock } from "shared/runtime/clock.ts";
import { createLog, type Log } from "shared/runtime/log.ts";
import type { Scheduler } from "./scheduler.ts";

/** One running instance of an edge function. */
export interface FunctionProcess {
  name: string;
  isAlive: boolean;
  /** Gets no time until then: its timers and answers come late. */
  frozenUntil: number;
  /** Requests to Mautic's API that it waits for. */
  openCalls: number;
  /** How long it waits for the database. */
  databaseTimeoutMs: number;
  handle(request: Request): Promise<Response>;
  /** Runs `resume` in this process: late when it is frozen, never when it is dead. */
  wake(delayMs: number, resume: () => void): void;
  /** Told when the process dies. */
  onDeath: (() => void)[];
}

export type ProcessFetch = (process: FunctionProcess, request: Request) => Promise<Response>;

/** What the code of a function is given. */
export interface Surroundings {
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
}

/**
 * A process with the product's own code. Everything it waits for goes through `fetch` and the
 * clock; killing it means that neither ever comes back.
 */
export function startProcess(
  { name, skewMs, databaseTimeoutMs, scheduler, fetch, note, onLine, createHandler }: {
    name: string;
    /** How far its clock is ahead. */
    skewMs: number;
    databaseTimeoutMs: number;
    scheduler: Scheduler;
    fetch: ProcessFetch;
    note(line: string): void;
    /** Hears every line that is logged. */
    onLine(line: string): void;
    createHandler(surroundings: Surroundings): FunctionProcess["handle"];
  },
): FunctionProcess {
  const process: FunctionProcess = {
    name,
    isAlive: true,
    frozenUntil: 0,
    openCalls: 0,
    databaseTimeoutMs,
    handle: () => Promise.reject(new Error("not started")),
    onDeath: [],
    wake(delayMs, resume) {
      scheduler.after(delayMs, () => {
        if (!process.isAlive) return;
        const frozenMs = process.frozenUntil - scheduler.now();
        if (frozenMs > 0) process.wake(frozenMs, resume);
        else resume();
      });
    },
  };
  const clock: Clock = {
    now: () => scheduler.now() + skewMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        signal?.addEventListener("abort", () => resolve(), { once: true });
        process.wake(ms, resolve);
      }),
  };
  process.handle = createHandler({
    // The Data API's client bounds its calls by real time, which does not pass here.
    fetch: (input, init) => {
      const { signal, ...rest } = init ?? {};
      const isOurs = input instanceof Request;
      const request = isOurs ? new Request(input, init) : new Request(input, rest);
      void signal;
      return process.isAlive ? fetch(process, request) : new Promise(() => {});
    },
    clock,
    log: createLog({
      name,
      now: clock.now,
      write: (line, level) => {
        onLine(line);
        if (level === "warning" || level === "error") note(`${name} ${line}`);
      },
    }),
  });
  return process;
}

/** Ends a process between two of its steps: what it waits for never comes back. */
export function kill(process: FunctionProcess): void {
  process.isAlive = false;
  for (const tell of process.onDeath) tell();
}

/** Gives a process no time for `ms`. */
export function freeze(process: FunctionProcess, now: number, ms: number): void {
  process.frozenUntil = now + ms;
}
