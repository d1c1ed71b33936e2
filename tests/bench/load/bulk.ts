/** How fast an import becomes contacts, and what it costs Mautic. */
import type { Contender } from "./contender.ts";
import { leads } from "./leads.ts";

export interface Bulk {
  perSecond: number;
  /** All requests that Mautic got meanwhile, tokens included, for each contact that arrived. */
  requestsPerLead: number;
  invocations: number;
}

/**
 * Commits `count` leads in one statement and takes the time from there until all are contacts. Where
 * that takes minutes, only until `measured` of them are: the rest is taken to follow at the pace they
 * had from the first to the last, and the contender is to be thrown away.
 *
 * @throws {Error} when Mautic ends up with a duplicate, or with less than what arrived
 */
export async function bulk(
  contender: Contender,
  count: number,
  measured = count,
): Promise<Bulk> {
  const { mautic, arrivals } = contender;
  arrivals.reset();
  const known = mautic.contacts.size;
  const requests = mautic.requests.length;
  const invocations = await contender.invocations();
  const from = performance.now();
  await contender.commit(leads(`bulk-${known}`, count));
  await arrivals.reached(1);
  const first = performance.now();
  await arrivals.reached(measured);
  const pace = (performance.now() - first) / (measured - 1);
  const seconds = (first - from + pace * (count - 1)) / 1000;
  const result = {
    perSecond: count / seconds,
    requestsPerLead: (mautic.requests.length - requests) / measured,
    invocations: await contender.invocations() - invocations,
  };
  if (measured === count) await contender.quiet();
  assertOnce(contender, known, measured);
  return result;
}

/** Figures of a contender that loses or doubles somebody would mean nothing. */
export function assertOnce({ name, mautic }: Contender, known: number, added: number): void {
  const doubled = mautic.duplicateEmails().length;
  if (doubled > 0) throw new Error(`${name} doubled ${doubled} contacts`);
  if (mautic.contacts.size < known + added) {
    throw new Error(`${name}: ${mautic.contacts.size - known} of ${added} contacts are there`);
  }
}
