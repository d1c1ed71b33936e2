/** How long the emulated server takes, how many cores it has, and where concurrent saves meet. */
import type { Clock } from "../../shared/clock.ts";

export interface LatencyModel {
  /** Pieces of work that run at the same time; the rest queues. */
  cores: number;
  /** How much longer work takes while every core is busy; 1 when left out. */
  slowdown?: number;
  /** Milliseconds of work of a route: once per request, and once per saved contact. */
  cost(route: string): { request: number; item: number };
}

/**
 * Measured on a live 5.1.1 on two cores (API.md 14): 70 ms a single save, about 18 ms a contact in
 * a batch of 50, 20 ms a search, 30 ms a campaign add. Two requests saturate it.
 */
export function realisticLatency(): LatencyModel {
  const costs: Record<string, { request: number; item: number }> = {
    "contacts.new": { request: 0, item: 70 },
    "contacts.edit": { request: 0, item: 70 },
    "contacts.batch.new": { request: 20, item: 18 },
    "contacts.batch.edit": { request: 20, item: 18 },
    "campaigns.contact": { request: 30, item: 0 },
    "segments.contact": { request: 30, item: 0 },
    "contacts.dnc": { request: 40, item: 0 },
    "contacts.utm": { request: 40, item: 0 },
  };
  return { cores: 2, slowdown: 1.1, cost: (route) => costs[route] ?? { request: 20, item: 0 } };
}

/** Every request takes the same time, however many run. */
export function fixedLatency(milliseconds: number): LatencyModel {
  return { cores: Infinity, cost: () => ({ request: milliseconds, item: 0 }) };
}

export interface Load {
  setModel(model: LatencyModel | null): void;
  request(route: string): Promise<void>;
  /** Between look-up and insert of one contact: here concurrent saves of one address meet. */
  item(route: string): Promise<void>;
  /** The next `count` saves wait for each other after their look-up. */
  holdSaves(count: number): void;
}

/** `turn` lets other requests run when no latency is set. */
export function createLoad(clock: Clock, turn: () => Promise<void>): Load {
  let model: LatencyModel | null = null;
  let busy = 0;
  const queue: (() => void)[] = [];
  let held: { missing: number; release: () => void; released: Promise<void> } | null = null;

  async function work(milliseconds: number): Promise<void> {
    if (model === null || milliseconds <= 0) return;
    if (busy >= model.cores) await new Promise<void>((resolve) => queue.push(resolve));
    else busy++;
    const factor = busy >= model.cores ? model.slowdown ?? 1 : 1;
    await clock.sleep(milliseconds * factor);
    const next = queue.shift();
    if (next) next();
    else busy--;
  }

  return {
    setModel(next) {
      model = next;
    },
    request: (route) => work(model?.cost(route).request ?? 0),
    async item(route) {
      if (held) {
        const mine = held;
        mine.missing--;
        if (mine.missing === 0) {
          held = null;
          mine.release();
        }
        await mine.released;
      }
      const cost = model?.cost(route).item ?? 0;
      await (cost > 0 ? work(cost) : turn());
    },
    holdSaves(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = { missing: count, release: resolve, released: promise };
    },
  };
}
