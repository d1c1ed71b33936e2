import { z } from "zod";
import type { Api } from "shared/mautic/transport/request.ts";

/** Which Mautic this is. */
export function versionCalls(api: Api) {
  return {
    /** Reaches Mautic with a token; its version is in a header of every answer of the API. */
    async version(correlationId?: string): Promise<{ version: string | null }> {
      const { headers } = await api({
        method: "GET",
        path: "/api/contacts",
        query: { limit: "1", minimal: "1" },
        policy: "read",
        correlationId,
      }, z.object({ contacts: z.unknown() }));
      return { version: headers.get("Mautic-Version") };
    },
  };
}
