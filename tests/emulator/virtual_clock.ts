/** A clock that jumps to the next thing due as soon as nothing else can happen. */
import type { Clock } from "shared/runtime/clock.ts";

export interface VirtualClock extends Clock {
  /** Runs the work, advancing whenever it does nothing but wait on this clock. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createVirtualClock(): VirtualClock {
  let now = 0;
  const due: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    sleep(milliseconds) {
      return new Promise((wake) => {
        due.push({ at: now + milliseconds, wake });
        due.sort((a, b) => a.at - b.at);
      });
    },
    async run(work) {
      let isDone = false;
      const working = work().finally(() => {
        isDone = true;
      });
      while (!isDone) {
        // Bodies are read in turns of the event loop: let them all pass before time does.
        for (let turn = 0; turn < 4; turn++) await new Promise((next) => setImmediate(next));
        const next = due.shift();
        if (!next) continue;
        now = next.at;
        next.wake();
      }
      return await working;
    },
  };
}
