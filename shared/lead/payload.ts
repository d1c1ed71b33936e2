import { z } from "zod";

/** A numeric beyond all numbers is Infinity once it was JSON; nobody has such a score. */
const number = z.custom<number>((given) => typeof given === "number", "expected a number")
  .transform((given) => Number.isFinite(given) ? given : null);

/** What a row of the table says of a lead, as the database reads it by table mautic.field_map. */
export const leadPayloadSchema = z.object({
  id: z.string(),
  /** false: it belongs in Mautic no more, or never did; a withdrawal of consent passes all the same. */
  in_scope: z.boolean().default(true),
  /** null: the lead has no address. */
  email: z.string().nullable(),
  stage: z.string().nullable(),
  /** Consent to marketing; null: the lead says nothing of it. */
  consent: z.boolean().nullable(),
  score: number.nullable(),
  /**
   * By the alias of the contact field. An alias that is absent is silence: nothing is changed for it.
   * null: the lead has no value there.
   */
  fields: z.record(z.string(), z.union([z.string(), number, z.null()])),
  /** Aliases and roles (email, stage, consent, score) whose value in this row is none; silent above. */
  unreadable: z.array(z.string()),
  /** Those that cannot be read because the table has changed its shape; silent above, too. */
  missing: z.array(z.string()),
});

export type LeadPayload = z.infer<typeof leadPayloadSchema>;
