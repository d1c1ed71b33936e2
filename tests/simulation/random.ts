/** Chance from a seed, and from nothing else. */
export interface Random {
  /** 0 ≤ n < 1. */
  next(): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  pick<T>(from: readonly T[]): T;
  /** A version-4 uuid. */
  uuid(): string;
}

/** mulberry32. `purpose` keeps the streams of one seed apart. */
export function createRandom(seed: number, purpose: string): Random {
  let state = seed >>> 0;
  for (const letter of purpose) state = Math.imul(state ^ letter.charCodeAt(0), 0x9e3779b1) >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    chance: (probability) => next() < probability,
    between,
    pick(from) {
      const place = between(0, from.length - 1);
      // Not `?? first`: null is a value, too.
      for (const each of from.slice(place, place + 1)) return each;
      throw new RangeError("Nothing to pick from.");
    },
    uuid() {
      const hex = Array.from({ length: 32 }, () => between(0, 15).toString(16)).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${
        hex.slice(20)
      }`;
    },
  };
}
