import { inDoubt } from "shared/contact/confirm.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { isAnswered, withContact, type Work } from "./item.ts";
import { notePassed, type SyncContext } from "./run.ts";

/** A number of which the answer does not tell whether Mautic took it. */
interface Doubt {
  leadId: string;
  contactId: number;
  alias: string;
  value: number;
}

/**
 * Reads once whether Mautic took the numbers below 1 that its answers show as 0, a request a field:
 * those that it took are put into the contact as they are. Where that cannot be read they count as
 * taken, as any number does whose decimals the answer leaves out.
 */
export async function readBack(works: Work[], context: SyncContext): Promise<Work[]> {
  const doubts = works.flatMap(doubtsOf);
  const taken: Doubt[] = [];
  for (const alias of new Set(doubts.map((doubt) => doubt.alias))) {
    taken.push(...await takenOf(alias, doubts.filter((doubt) => doubt.alias === alias), context));
  }
  return works.map((work) => taken.reduce(withTaken, work));
}

function doubtsOf(work: Work): Doubt[] {
  if (work.state === "settled" || work.reach.stage !== "saved") return [];
  const { item, fields, reach: { contact } } = work;
  return inDoubt(fields.delta, contact.fields).map(([alias, value]) => ({
    leadId: item.lead_id,
    contactId: contact.id,
    alias,
    value,
  }));
}

async function takenOf(
  alias: string,
  doubts: Doubt[],
  { mautic, run }: SyncContext,
): Promise<Doubt[]> {
  if (run.halt) return doubts;
  const ids = doubts.map(({ contactId }) => contactId);
  try {
    const holding = await mautic.idsHolding(ids, alias, doubts.map(({ value }) => value));
    notePassed(run, "read");
    return doubts.filter(({ contactId }) => holding.includes(contactId));
  } catch (error) {
    if (!(error instanceof MauticError)) throw error;
    return doubts;
  }
}

function withTaken(work: Work, { leadId, alias, value }: Doubt): Work {
  if (work.item.lead_id !== leadId || !isAnswered(work)) return work;
  const { contact } = work.reach;
  return withContact(work, {
    ...contact,
    fields: { ...contact.fields, [alias]: value },
  });
}
