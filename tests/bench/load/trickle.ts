/** Single commits at a rate: how long each takes to become a contact. */
import { createRandom } from "../../simulation/random.ts";
import { quantile } from "../measure.ts";
import { assertOnce } from "./bulk.ts";
import type { Contender } from "./contender.ts";
import { leads } from "./leads.ts";

export interface Trickle {
  /** Milliseconds from the commit to the contact. */
  median: number;
  p95: number;
  /** Contacts a second, from the first commit to the last contact. */
  perSecond: number;
  /** Requests to edge functions per 1,000 commits. */
  invocations: number;
}

/**
 * Commits `count` leads one by one, at random moments that make `perSecond` on average, whatever
 * becomes of those before: people do not wait for each other. The moments are the same each time.
 */
export async function trickle(
  contender: Contender,
  perSecond: number,
  count: number,
): Promise<Trickle> {
  const { mautic, arrivals } = contender;
  await contender.quiet();
  arrivals.reset();
  const known = mautic.contacts.size;
  const invocations = await contender.invocations();
  const committed = new Map<string, number>();
  const from = performance.now();
  const moments = arrivalMoments(perSecond, count);
  await Promise.all(
    leads(`trickle-${known}`, count).map(async (lead, index) => {
      await until(from + (moments[index] ?? 0));
      await contender.commit([lead]);
      committed.set(lead.email, performance.now());
    }),
  );
  await arrivals.reached(count);
  const seconds = (performance.now() - from - (moments[0] ?? 0)) / 1000;
  await contender.quiet();
  assertOnce(contender, known, count);
  const latencies = [...committed].map(([email, at]) => (arrivals.at(email) ?? NaN) - at);
  return {
    median: quantile(latencies, 0.5),
    p95: quantile(latencies, 0.95),
    perSecond: count / seconds,
    invocations: (await contender.invocations() - invocations) * 1000 / count,
  };
}

function until(moment: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, moment - performance.now()));
}

/** Milliseconds from the start, with exponential gaps between them. */
function arrivalMoments(perSecond: number, count: number): number[] {
  const random = createRandom(count, "arrivals");
  let at = 0;
  return Array.from({ length: count }, () => at += -Math.log(1 - random.next()) * 1000 / perSecond);
}
