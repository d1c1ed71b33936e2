/** Waiting that an event can cut short. */

export type InterruptibleSleep = {
  /** Waits `ms` milliseconds, or until `wake()`; not at all when it was called meanwhile. */
  sleep(ms: number): Promise<void>;
  /** Waits `ms` milliseconds, whatever wakes; only `end()` cuts it short. */
  rest(ms: number): Promise<void>;
  wake(): void;
  /** Ends the present wait and all later ones at once. */
  end(): void;
};

/** Makes a sleeper; one wait at a time. */
export function interruptibleSleep(): InterruptibleSleep {
  let awake = false;
  let ended = false;
  let interrupt: ((final: boolean) => void) | undefined;

  const wait = async (ms: number, cutBy: (final: boolean) => boolean) => {
    if (ended) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      interrupt = (final) => {
        if (!cutBy(final)) return;
        clearTimeout(timer);
        resolve();
      };
    });
    interrupt = undefined;
  };
  return {
    sleep: async (ms) => {
      if (!awake) await wait(ms, () => true);
      awake = false;
    },
    rest: (ms) => wait(ms, (final) => final),
    wake: () => {
      awake = true;
      interrupt?.(false);
    },
    end: () => {
      ended = true;
      interrupt?.(true);
    },
  };
}
