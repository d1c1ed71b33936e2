import type { Random } from "./random.ts";

/**
 * Virtual time. One event runs at a time, and the next one only when everything it set going has
 * come to rest: so the order of things is the scheduler's and never the machine's.
 */
export interface Scheduler {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `run` in `delayMs`; events of one moment come in an order that chance decides. */
  after(delayMs: number, run: () => void | Promise<void>): void;
  /** Counts real work outside of our hands (Postgres, WebCrypto): nothing moves on before it ends. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Runs events until `isOver()`, or until none is left, or `until` (ms since the epoch) is reached. */
  run(until: number, isOver?: () => boolean): Promise<void>;
}

interface Event {
  at: number;
  tie: number;
  run: () => void | Promise<void>;
}

/** Turns of the event loop with nothing new before the world counts as at rest. */
const quietTurns = 6;

export function createScheduler(startsAt: number, random: Random): Scheduler {
  let now = startsAt;
  let busy = 0;
  let activity = 0;
  const queue: Event[] = [];

  async function rest(): Promise<void> {
    let quiet = 0;
    let seen = activity;
    while (busy > 0 || quiet < quietTurns) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = busy > 0 || activity !== seen ? 0 : quiet + 1;
      seen = activity;
    }
  }

  function takeNext(until: number): Event | undefined {
    let best: Event | undefined;
    for (const event of queue) {
      if (!best || event.at < best.at || (event.at === best.at && event.tie < best.tie)) {
        best = event;
      }
    }
    if (!best || best.at > until) return undefined;
    queue.splice(queue.indexOf(best), 1);
    return best;
  }

  return {
    now: () => now,
    after(delayMs, run) {
      activity++;
      queue.push({ at: now + Math.max(0, Math.ceil(delayMs)), tie: random.next(), run });
    },
    async track(work) {
      busy++;
      activity++;
      try {
        return await work;
      } finally {
        busy--;
        activity++;
      }
    },
    async run(until, isOver = () => false) {
      await rest();
      while (!isOver()) {
        const event = takeNext(until);
        if (!event) {
          now = Math.max(now, until);
          return;
        }
        now = Math.max(now, event.at);
        await event.run();
        await rest();
      }
    },
  };
}

/**
 * WebCrypto works on threads of its own: without this, which of two calls ends first would be the
 * machine's choice. Returns the way back.
 */
export function trackWebCrypto(scheduler: Scheduler): () => void {
  const prototype = SubtleCrypto.prototype;
  const names = ["digest", "sign", "encrypt", "decrypt", "importKey", "deriveKey"] as const;
  const before = names.map((name) => [name, Reflect.get(prototype, name)] as const);
  for (const [name, original] of before) {
    Reflect.set(prototype, name, function (this: SubtleCrypto, ...args: unknown[]) {
      return scheduler.track(Promise.resolve(Reflect.apply(original, this, args)));
    });
  }
  return () => {
    for (const [name, original] of before) Reflect.set(prototype, name, original);
  };
}
