import type { DoNotContactEntry } from "shared/consent/entry.ts";
import type { Api } from "shared/mautic/transport/request.ts";
import { contactAnswer } from "./contact_schema.ts";

/** Mautic's own UTM tags of a contact, beside its fields. */
export function utmTagCalls(api: Api) {
  return {
    /** Adds one set of native UTM tags (`utm_source` …). Returns the do-not-contact entries. */
    async addUtm(
      id: number,
      tags: Record<string, string>,
      correlationId?: string,
    ): Promise<DoNotContactEntry[]> {
      const path = `/api/contacts/${id}/utm/add`;
      const request = { method: "POST", path, body: tags, policy: "append" } as const;
      return (await api({ ...request, correlationId }, contactAnswer)).data.contact.doNotContact;
    },
  };
}
