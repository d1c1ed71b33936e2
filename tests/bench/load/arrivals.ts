/** When each contact became visible in Mautic: told by the emulator, not found by looking. */

export interface Arrivals {
  /** The contact with this address can be read from now on. */
  note(email: string): void;
  /** When it first could be, by performance.now(). */
  at(email: string): number | undefined;
  count(): number;
  /** Resolves as soon as so many contacts have arrived since the last reset. */
  reached(count: number): Promise<void>;
  reset(): void;
}

export function createArrivals(): Arrivals {
  const times = new Map<string, number>();
  let waiting: { count: number; resolve: () => void }[] = [];
  return {
    note(email) {
      if (times.has(email)) return;
      times.set(email, performance.now());
      waiting = waiting.filter(({ count, resolve }) => {
        if (times.size < count) return true;
        resolve();
        return false;
      });
    },
    at: (email) => times.get(email),
    count: () => times.size,
    reached(count) {
      if (times.size >= count) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
    reset: () => times.clear(),
  };
}
