/** What a benchmark's part is, and the figures it returns. */

export type Unit =
  | "ms"
  | "per second"
  | "requests per lead"
  | "invocations per 1,000 commits"
  | "bytes"
  | "MB"
  | "s of CPU"
  | "s of CPU per 1,000 leads"
  | "count";

/** What a figure has to reach. */
export interface Target {
  /** `difference` is value − baseline, in the figure's unit. */
  of: "value" | "ratio" | "difference";
  bound: "at most" | "at least";
  limit: number;
}

/** One line of the table: what was measured, and against what in the same run. */
export interface Figure {
  /** Stays the same from run to run and release to release: `trigger.one_row`. */
  id: string;
  /** What a person reads: "1,000 single-row inserts, 4 clients". */
  name: string;
  unit: Unit;
  value: number;
  /** What a user would do instead, measured in this run; null where nothing compares. */
  baseline: { name: string; value: number } | null;
  /** value / baseline */
  ratio: number | null;
  target: Target | null;
  isMet: boolean | null;
}

/** A chart's data: a measure against the load, a line for each contender. */
export interface Series {
  /** Parts may add to one chart: what has the same id is drawn together. */
  id: string;
  title: string;
  /** What the axes show. */
  x: string;
  y: string;
  /** Values over magnitudes rather than in equal steps. */
  isLogarithmic?: boolean;
  lines: Line[];
}

export interface Line {
  name: string;
  /** Belongs to the line of the same name that is not: its 95th percentile, say. */
  isSecondary?: boolean;
  /** Loads stand side by side in the order they come, whatever lies between them. */
  points: { x: string | number; y: number }[];
}

export interface PartOptions {
  /** Small sizes: to see that it runs, not to publish. */
  quick: boolean;
  /** Tells the person who watches. */
  note(line: string): void;
}

export interface PartResult {
  figures: Figure[];
  series?: Series[];
}

/** A group of figures that is measured together and chosen by name on the command line. */
export interface Part {
  name: string;
  about: string;
  run(options: PartOptions): Promise<PartResult>;
}

/** A figure with its ratio, and with whether its target is met. */
export function figure(
  given: Pick<Figure, "id" | "name" | "unit" | "value"> & {
    baseline?: { name: string; value: number };
    target?: Target;
  },
): Figure {
  const { id, name, unit, value, baseline = null, target = null } = given;
  const ratio = baseline === null ? null : value / baseline.value;
  const isMet = target === null ? null : meets(target, { value, baseline, ratio });
  return { id, name, unit, value, baseline, ratio, target, isMet };
}

function meets(
  { of, bound, limit }: Target,
  { value, baseline, ratio }: Pick<Figure, "value" | "baseline" | "ratio">,
): boolean {
  const difference = baseline === null ? null : value - baseline.value;
  const reached = { value, ratio, difference }[of];
  if (reached === null) throw new RangeError(`A target of the ${of} needs a baseline`);
  return bound === "at most" ? reached <= limit : reached >= limit;
}

/**
 * The value below which a share of the values lies, as the nearest rank has it.
 *
 * @param share 0.5 for the median, 0.95 for the 95th percentile
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

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
  return quantile(times, 0.5);
}
