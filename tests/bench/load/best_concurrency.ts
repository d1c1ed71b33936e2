/** A baseline deserves the concurrency that suits it best. */
import type { PartOptions } from "../measure.ts";
import { bulk } from "./bulk.ts";
import type { Contender } from "./contender.ts";

const candidates = [2, 4, 8];

/** Tries a short import at each concurrency; 4 when there is no time for that. */
export async function bestConcurrency(
  start: (concurrency: number) => Promise<Contender>,
  { quick, note }: PartOptions,
): Promise<number> {
  if (quick) return 4;
  let best = { concurrency: 0, perSecond: 0 };
  for (const concurrency of candidates) {
    await using contender = await start(concurrency);
    const { perSecond } = await bulk(contender, 150);
    note(`${contender.name}, ${concurrency} at once: ${perSecond.toFixed(1)} leads a second`);
    if (perSecond > best.perSecond) best = { concurrency, perSecond };
  }
  return best.concurrency;
}
