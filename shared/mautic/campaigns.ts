import { z } from "zod";
import { idSchema, valuesOf } from "shared/mautic/transport/json.ts";
import type { Api } from "shared/mautic/transport/request.ts";

/** Ids of the campaigns a contact is in. */
const campaignsAnswer = z.object({ campaigns: z.unknown() }).transform(({ campaigns }) =>
  valuesOf(campaigns)
).pipe(z.array(z.object({ id: idSchema }).transform(({ id }) => id)));

const successAnswer = z.object({ success: z.union([z.literal(1), z.literal(true)]) });

/** Who is in which campaign. */
export function campaignCalls(api: Api) {
  return {
    /**
     * The published campaigns a contact is in. Mautic leaves out those it was removed from by hand
     * (docs/mautic.md, "Campaigns"): only what we keep of our own enrolments tells of them.
     */
    async contactCampaigns(id: number, correlationId?: string): Promise<number[]> {
      const path = `/api/contacts/${id}/campaigns`;
      const request = { method: "GET", path, policy: "read", correlationId } as const;
      return (await api(request, campaignsAnswer)).data;
    },

    /** Adds a contact to a campaign; `not_found` when there is no such campaign or contact. */
    async addToCampaign(
      campaignId: number,
      contactId: number,
      correlationId?: string,
    ): Promise<void> {
      const path = `/api/campaigns/${campaignId}/contact/${contactId}/add`;
      await api({ method: "POST", path, policy: "append", correlationId }, successAnswer);
    },
  };
}
