import { z } from "zod";

/**
 * The contact fields that leads fill, as table mautic.field_map holds them: in the order in which
 * they are sent. `email` is none of them: every lead has it, and it goes last.
 */
export const fieldMapSchema = z.array(z.object({
  /** Alias of the contact field in Mautic. */
  alias: z.string(),
  type: z.enum(["text", "number"]),
  /** Where upsert_contact's payload has the value, as `["utm", "source"]`; null: nowhere. */
  part: z.array(z.string()).nullable(),
  /** keep: a blank changes nothing (attribution); clear: it blanks what this lead has filled. */
  when_blank: z.enum(["keep", "clear"]),
  /** refuse: left blank, for a value of which a part is another value (half an id). */
  too_long: z.enum(["cut", "refuse"]),
}));

export type FieldMap = z.infer<typeof fieldMapSchema>;
export type FieldMapping = FieldMap[number];
