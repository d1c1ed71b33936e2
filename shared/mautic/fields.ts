import { z } from "zod";
import { valuesOf } from "shared/mautic/transport/json.ts";
import type { Api } from "shared/mautic/transport/request.ts";

export const fieldsAnswer = z.object({ fields: z.unknown() }).transform(({ fields }) =>
  valuesOf(fields)
).pipe(z.array(z.object({
  alias: z.string(),
  type: z.string(),
  isPublished: z.boolean(),
  isRequired: z.boolean(),
  /** What a new contact gets that says nothing of the field. */
  defaultValue: z.unknown(),
  /** Told by newer versions only. */
  charLengthLimit: z.number().nullish(),
})));

export type ContactField = z.infer<typeof fieldsAnswer>[number];

/** The fields that contacts have. */
export function fieldCalls(api: Api) {
  return {
    /** All contact fields: aliases to check the mapping against. */
    async contactFields(correlationId?: string): Promise<ContactField[]> {
      const request = {
        method: "GET",
        path: "/api/fields/contact",
        query: { limit: "1000" },
        policy: "read",
        correlationId,
      } as const;
      return (await api(request, fieldsAnswer)).data;
    },
  };
}
