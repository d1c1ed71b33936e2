import { z } from "zod";
import { emailEntries, isOurs } from "shared/consent/entry.ts";
import type { World } from "./world.ts";

const row = z.object({
  lead_id: z.string(),
  email_status: z.string().nullable(),
  contact_id: z.coerce.number(),
});

/** What a lead's `email_status` may be, by the reason of the contact's entry that is not ours. */
const agreeing: Record<number, string[]> = {
  1: ["unsubscribed", "complained"],
  2: ["bounced", "complained"],
  3: ["unsubscribed", "bounced", "complained"],
};

/**
 * Invariant 4, second half: after a reconciliation every lead row agrees with Mautic's
 * do-not-contact state. A complaint stays on the row whatever Mautic says later; so does an opt-out
 * of a contact that a person merged or deleted, or that the lead has left: Mautic drops such entries
 * with it, and nobody took the opt-out back.
 */
export async function checkConsent(
  { database, mautic, deeds, ledger }: World,
): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql`
    select l.lead_id, l.email_status, k.contact_id
    from mautic.read_leads(array(select id::text from public.leads)) l join mautic.contact_link k on k.lead_id = l.lead_id and k.left_at is null
    order by l.lead_id`
  );
  const elsewhereRows = await database.step((sql) =>
    sql`
    select distinct a.lead_id
    from public.lead_activity a
    left join mautic.contact_link k on k.lead_id = a.lead_id
    where a.detail ? 'event_id' and (a.detail ->> 'contact_id')::bigint is distinct from k.contact_id`
  );
  /** Leads that were told of something that happened to another contact than they are now. */
  const elsewhere = new Set(elsewhereRows.map((each) => String(each["lead_id"])));
  const problems: string[] = [];
  for (const { lead_id, email_status, contact_id } of z.array(row).parse([...rows])) {
    const contact = mautic.contacts.get(contact_id);
    if (!contact) {
      // Deleted: nobody's entry. Merged away: the reconciliation was to find the survivor, if there is one.
      if (mautic.contacts.has(survivorOf(contact_id, deeds.merges))) {
        problems.push(`lead ${lead_id} is linked to ${contact_id}, which was merged away`);
      }
      continue;
    }
    const status = email_status ?? "subscribed";
    const entries = emailEntries(contact.doNotContact);
    const [entry] = entries.filter((each) => !isOurs(each));
    // Ours replaces a bounce in Mautic, so with ours there a bounce on the row may stand for both.
    if (status === "bounced" && entries.some(isOurs)) continue;
    const isCautious = elsewhere.has(lead_id) ||
      ledger.links.some((each) =>
        each.lead_id === lead_id &&
        (each.contact_id !== contact_id || deeds.removed.has(contact_id))
      );
    const agrees = entry
      ? agreeing[entry.reason]?.includes(status) || (isCautious && status !== "subscribed")
      : status === "subscribed" || status === "complained" || isCautious;
    if (!agrees) {
      problems.push(
        `lead ${lead_id} is ${status}, its contact ${contact_id} has ${
          entry ? `reason ${entry.reason} (${entry.comments})` : "no entry"
        }`,
      );
    }
  }
  return problems;
}

/** Where all merges of a contact have led; the contact itself when there was none. */
function survivorOf(id: number, merges: World["deeds"]["merges"]): number {
  const merge = merges.find(({ loser }) => loser === id);
  return merge ? survivorOf(merge.winner, merges) : id;
}
