/** How long the emulated server takes, how many cores it has, and where concurrent saves meet. */
import type { Clock } from "shared/runtime/clock.ts";

export interface Cost {
  /** Milliseconds of a core per request, and per saved contact. */
  request: number;
  item: number;
}

export interface LatencyModel {
  /** Pieces of work that run at the same time; the rest queues. */
  cores: number;
  cost(route: string): Cost;
  /** Share by which work takes longer for each piece that waits for a core, up to so many. */
  contention?: { share: number; upTo: number };
  /** A save on a server that saved within the last `withinMs` waits this long, on no core. */
  writing?: { withinMs: number; itemMs: number };
}

/**
 * The capacity of a real server: Mautic 5.1.1 on two cores, as it was measured for single calls and
 * under load (the figures stand in `tests/emulator/capacity_test.ts`). The smallest model found that
 * gives each of them within 20 %:
 *
 * - work takes a core: 50 ms for a request that saves and 18.5 ms for each contact in it, 20 ms for
 *   one that reads. That is why batches pay;
 * - there are two cores. More requests than that queue, and cost a little for switching;
 * - a server that is being written to saves more slowly than a rested one: 4.5 ms a contact, in
 *   which the core is free for others. That it is so was measured, what it waits for was not.
 *
 * A server of another `speed` takes each time divided by it.
 */
export function realisticLatency(speed = 1): LatencyModel {
  const cost = (request: number, item = 0): Cost => ({
    request: request / speed,
    item: item / speed,
  });
  const save = cost(50, 18.5);
  const costs: Record<string, Cost> = {
    "contacts.new": save,
    "contacts.edit": save,
    "contacts.batch.new": save,
    "contacts.batch.edit": save,
    "campaigns.contact": cost(30),
    "segments.contact": cost(30),
    "contacts.dnc": cost(40),
    "contacts.utm": cost(40),
  };
  return {
    cores: 2,
    cost: (route) => costs[route] ?? cost(20),
    contention: { share: 0.005, upTo: 18 },
    writing: { withinMs: 1_000, itemMs: 4.5 / speed },
  };
}

/** Every request takes the same time, however many run. */
export function fixedLatency(milliseconds: number): LatencyModel {
  return { cores: Infinity, cost: () => ({ request: milliseconds, item: 0 }) };
}

/** One request at work. */
export interface Work {
  /** What a request costs before it does anything. */
  begin(): Promise<void>;
  /** Between look-up and insert of one contact: here concurrent saves of one address meet. */
  item(): Promise<void>;
}

export interface Load {
  setModel(model: LatencyModel | null): void;
  start(route: string): Work;
  /** The next `count` saves wait for each other after their look-up. */
  holdSaves(count: number): void;
}

/** `turn` lets other requests run when no latency is set. */
export function createLoad(clock: Clock, turn: () => Promise<void>): Load {
  let model: LatencyModel | null = null;
  let cores = createCores(clock, Infinity);
  let savedAt = -Infinity;
  let held: { missing: number; release: () => void; released: Promise<void> } | null = null;

  async function meetOthers(): Promise<void> {
    if (!held) return;
    const mine = held;
    mine.missing--;
    if (mine.missing === 0) {
      held = null;
      mine.release();
    }
    await mine.released;
  }

  return {
    setModel(next) {
      model = next;
      cores = createCores(clock, next?.cores ?? Infinity, next?.contention);
    },
    start(route) {
      const cost = model?.cost(route) ?? { request: 0, item: 0 };
      const { withinMs, itemMs } = model?.writing ?? { withinMs: 0, itemMs: 0 };
      const mine = cores;
      // Where the model has this request. Timers are late and the emulator itself takes time: what
      // comes next counts from here, so that lateness does not add up.
      let at = clock.now();
      const waitsMs = at - savedAt < withinMs ? itemMs : 0;
      return {
        async begin() {
          if (cost.request > 0) at = await mine.work(at, cost.request);
        },
        async item() {
          await meetOthers();
          if (cost.item <= 0) return await turn();
          at = await mine.work(at, cost.item);
          if (waitsMs > 0) await clock.sleep(Math.max(0, (at += waitsMs) - clock.now()));
          savedAt = at;
        },
      };
    },
    holdSaves(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = { missing: count, release: resolve, released: promise };
    },
  };
}

interface Cores {
  /** Does `milliseconds` of work on a core, from `at` at the earliest; resolves to its end. */
  work(at: number, milliseconds: number): Promise<number>;
}

function createCores(
  clock: Clock,
  count: number,
  contention = { share: 0, upTo: 0 },
): Cores {
  /** Since when each idle core has been idle; one that never worked is not listed. */
  const idleSince: number[] = [];
  let started = 0;
  const queue: ((freeAt: number) => void)[] = [];

  function take(): number | Promise<number> {
    const freeAt = idleSince.shift();
    if (freeAt !== undefined) return freeAt;
    if (started < count) {
      started++;
      return -Infinity;
    }
    return new Promise((resolve) => queue.push(resolve));
  }

  return {
    async work(at, milliseconds) {
      const from = Math.max(at, await take());
      const slower = 1 + contention.share * Math.min(queue.length, contention.upTo);
      const end = from + milliseconds * slower;
      await clock.sleep(Math.max(0, end - clock.now()));
      const next = queue.shift();
      if (next) next(end);
      else idleSince.push(end);
      return end;
    },
  };
}
