/** When and where to strike: chance from a seed that the run prints, and that repeats it. */
import { printResult } from "../../cli/print.ts";
import { createRandom, type Random } from "../simulation/random.ts";

const variable = "LEAD_SYNC_FAULT_SEED";

/** Chance of the seed in LEAD_SYNC_FAULT_SEED, or of a new one. */
export function chance(purpose: string): Random {
  const given = Number(Deno.env.get(variable));
  const seed = given > 0 ? given : Math.floor(Math.random() * 1e9) + 1;
  printResult(`${variable}=${seed} (${purpose})`);
  return createRandom(seed, purpose);
}

export interface Traffic {
  /** Told of every piece that a line passed on. */
  note(): void;
  /** Resolves when `count` more have passed, or when it has fallen silent. */
  after(count: number): Promise<void>;
}

/** Longer than anything here keeps silent while it works. */
const silenceMs = 3_000;

/** Counts what passes over the lines: moments in the work, whatever the machine's speed. */
export function countTraffic(): Traffic {
  let passed = 0;
  const waiting = new Set<() => void>();
  return {
    note() {
      passed++;
      for (const look of waiting) look();
    },
    after(count) {
      const at = passed + count;
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        const look = () => {
          if (passed >= at) return end();
          clearTimeout(timer);
          timer = setTimeout(end, silenceMs);
        };
        let timer = setTimeout(end, silenceMs);
        waiting.add(look);
      });
    },
  };
}
