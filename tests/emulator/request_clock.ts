/** A clock for an emulator behind real HTTP: it jumps ahead once all callers wait for the emulator. */
import type { Clock } from "shared/runtime/clock.ts";

export interface RequestClock extends Clock {
  /** Lets time pass while nothing happens. */
  rest(milliseconds: number): void;
  /**
   * Runs the callers at once. Each may have one request open at a time; time passes only while all
   * that are not done have theirs in the emulator, so that the machine's speed does not matter.
   */
  run(callers: (() => Promise<void>)[], inFlight: () => number): Promise<void>;
}

export function createRequestClock(): RequestClock {
  let now = 0;
  let due: { at: number; wake: () => void }[] = [];

  function wakeNext(): void {
    const at = Math.min(...due.map((one) => one.at));
    if (at === Infinity) return;
    now = Math.max(now, at);
    const [waking, waiting] = [
      due.filter((one) => one.at <= now),
      due.filter((one) => one.at > now),
    ];
    due = waiting;
    for (const { wake } of waking) wake();
  }

  return {
    now: () => now,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        due.push({ at: now + Math.max(0, milliseconds), wake });
      }),
    rest(milliseconds) {
      now += milliseconds;
    },
    async run(callers, inFlight) {
      let active = callers.length;
      const done = Promise.all(callers.map((call) => call().finally(() => active--)));
      while (active > 0) {
        // A request that has arrived reaches its next wait without another turn of the event loop.
        await new Promise((next) => setImmediate(next));
        if (inFlight() === active) wakeNext();
      }
      await done;
    },
  };
}
