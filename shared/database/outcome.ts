import { z } from "zod";

const fieldValues = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const entry = z.object({
  channel: z.string(),
  reason: z.number(),
  comments: z.string().nullable(),
});

/**
 * What became of a leased item, as mautic.settle() takes it (type mautic.outcome). A schema, so that
 * a test can hold it against the database; the functions need the type alone.
 */
export const outcomeSchema = z.object({
  lead_id: z.string(),
  result: z.enum(["done", "retry", "postponed", "ambiguous", "gone", "dead"]),
  /** What a done item came to, for the history. */
  action: z.exactOptional(
    z.enum([
      "created",
      "updated",
      "unchanged",
      "without_address",
      "out_of_scope",
      "deleted",
      "do_not_contact",
      "kept",
    ]),
  ),
  /** What came of the lead's enrolment, for the history. */
  enrollment: z.exactOptional(z.string()),
  /** Contacts that were deleted in Mautic, for a deleted lead: all that is known of them goes. */
  removed_contact_ids: z.exactOptional(z.array(z.int())),
  /** What Mautic's answer showed; recorded even when the lease is lost. */
  contact_id: z.exactOptional(z.int()),
  /** The id that was asked for, where another one came back: the contact was merged. */
  asked_contact_id: z.exactOptional(z.int()),
  /** The contact's. */
  address: z.exactOptional(z.string()),
  /** The lead's own, as it was sent. */
  lead_address: z.exactOptional(z.string()),
  snapshot: z.exactOptional(fieldValues),
  refused: z.exactOptional(fieldValues),
  do_not_contact: z.exactOptional(z.array(entry)),
  /** Aliases that this lead has filled. */
  filled: z.exactOptional(z.array(z.string())),
  /** The answer shows this very lead. */
  shows_lead: z.exactOptional(z.boolean()),
  /** When the lead changed, which is what orders the leads of one contact. */
  changed_at: z.exactOptional(z.string()),
  /** Of retry, postponed and ambiguous: how long to wait. */
  delay_ms: z.exactOptional(z.int()),
  /** Mautic failed on this item alone, while others passed. */
  failed_alone: z.exactOptional(z.boolean()),
  /** An earlier try was answered 500, which may come after the work was done. */
  may_be_done: z.exactOptional(z.boolean()),
  error_code: z.exactOptional(z.string()),
  error_message: z.exactOptional(z.string()),
  /** Of a dead letter, and of what waits for a person: what to do about it. */
  error_remedy: z.exactOptional(z.string()),
});
export type Outcome = z.infer<typeof outcomeSchema>;
