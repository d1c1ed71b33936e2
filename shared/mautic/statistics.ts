import { z } from "zod";
import { idSchema } from "shared/mautic/transport/json.ts";
import type { Api } from "shared/mautic/transport/request.ts";

/** A row of lead_donotcontact: all values are text, nulls are left out, times are UTC. */
const doNotContactRows = z.object({
  total: z.coerce.number(),
  stats: z.array(
    z.object({
      id: idSchema,
      lead_id: idSchema,
      reason: z.coerce.number(),
      channel: z.string(),
      comments: z.string().nullish(),
      date_added: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    }).transform((row) => ({
      id: row.id,
      contactId: row.lead_id,
      reason: row.reason,
      channel: row.channel,
      comments: row.comments ?? null,
      addedAt: `${row.date_added.replace(" ", "T")}Z`,
    })),
  ),
});

/** A row of Mautic's do-not-contact table; `addedAt` in ISO 8601, UTC. */
export type DoNotContactStat = z.infer<typeof doNotContactRows>["stats"][number];

/** Mautic's tables as it shows them for statistics. */
export function statisticsCalls(api: Api) {
  return {
    /**
     * Do-not-contact entries added at or after `since` (ms since the epoch), by ascending id, those
     * behind `afterId`: rows that vanish while a table is read must not move the pages.
     */
    async doNotContactStats(
      { since, afterId, limit }: { since: number; afterId: number; limit: number },
      correlationId?: string,
    ): Promise<{ total: number; rows: DoNotContactStat[] }> {
      const { data } = await api({
        method: "GET",
        path: "/api/stats/lead_donotcontact",
        query: {
          limit: String(limit),
          "order[0][col]": "id",
          "order[0][dir]": "asc",
          "where[0][col]": "date_added",
          "where[0][expr]": "gte",
          // Mautic keeps UTC without a zone, to the second.
          "where[0][val]": new Date(since).toISOString().slice(0, 19).replace("T", " "),
          "where[1][col]": "id",
          "where[1][expr]": "gt",
          "where[1][val]": String(afterId),
        },
        policy: "read",
        correlationId,
      }, doNotContactRows);
      return { total: data.total, rows: data.stats };
    },
  };
}
