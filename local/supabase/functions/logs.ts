/** What the functions printed, by function. */

export type FunctionLogs = {
  add(name: string, line: string): void;
  /** The lines a function has printed so far. */
  of(name: string): readonly string[];
  /** The first line that matches, printed already or still to come. */
  find(name: string, matches: (line: string) => boolean): Promise<string>;
};

/** Collects lines, and lets a test wait for one. */
export function collectFunctionLogs(): FunctionLogs {
  const lines = new Map<string, string[]>();
  const waiting: { name: string; take: (line: string) => boolean }[] = [];
  return {
    add: (name, line) => {
      const known = lines.get(name) ?? [];
      known.push(line);
      lines.set(name, known);
      const still = waiting.filter((waiter) => waiter.name !== name || !waiter.take(line));
      waiting.splice(0, waiting.length, ...still);
    },
    of: (name) => lines.get(name) ?? [],
    find: (name, matches) => {
      const printed = lines.get(name)?.find(matches);
      if (printed !== undefined) return Promise.resolve(printed);
      return new Promise((resolve) => {
        const take = (line: string) => {
          if (!matches(line)) return false;
          resolve(line);
          return true;
        };
        waiting.push({ name, take });
      });
    },
  };
}
