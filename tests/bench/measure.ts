/** Median of the milliseconds that `runs` calls take, one after another; `before` is not timed. */
export async function medianMs(
  runs: number,
  call: (run: number) => Promise<unknown>,
  before: (run: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    await before(run);
    const from = performance.now();
    await call(run);
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(runs / 2)] ?? NaN;
}

/** One line of the table: what was measured against what, in the same run. */
export interface Figure {
  name: string;
  baseline: string;
  baselineMs: number;
  measuredMs: number;
  /** measured / baseline */
  ratio: number;
}

export function figure(
  name: string,
  baseline: string,
  baselineMs: number,
  measuredMs: number,
): Figure {
  return { name, baseline, baselineMs, measuredMs, ratio: measuredMs / baselineMs };
}
