/** Can any lead reach the score that enrols? */
import type { Sql } from "postgres";
import { z } from "zod";
import type { EnrollmentSettings } from "shared/campaign/decide_enrollment.ts";
import { type Finding, pass, warn } from "./finding.ts";

export interface Scores {
  /** Leads with a score, among those that were looked at. */
  leads: number;
  highest: number | null;
  /** What gives the score, of the first table that has one. */
  expression: string | null;
}

const rows = z.array(z.object({
  leads: z.number(),
  highest: z.coerce.number().nullable(),
  expression: z.string().nullable(),
})).length(1);

/** Enough to tell a scale by, and read in a moment. */
const sample = 2_000;

/** Reads the scores of the newest leads. Errors: what postgres.js raises. */
export async function readScores(sql: Sql): Promise<Scores> {
  const [scores] = rows.parse(
    await sql`
      select
        count(*)::int as leads,
        max((r.payload ->> 'score')::numeric)::text as highest,
        (
          select s.expression from mautic.role s join mautic.attachment a on a.source = s.source
          where s.role = 'score' and s.expression is not null
          order by a.rank, a.source limit 1
        ) as expression
      from mautic.read_leads(array(
        select l.lead_id from mautic.lead_state l
        order by l.changed_at desc nulls last, l.lead_id limit ${sample})) r
      where jsonb_typeof(r.payload -> 'score') = 'number'`,
  );
  return scores ?? { leads: 0, highest: null, expression: null };
}

/** A probability held against a threshold of 70 enrols nobody, and nothing fails. */
export function judgeScore(
  { enabled, threshold }: Pick<EnrollmentSettings, "enabled" | "threshold">,
  { leads, highest, expression }: Scores,
): Finding {
  const check = "campaign.score";
  if (!enabled) return pass(check, "enrolment is off");
  if (highest === null) return pass(check, "no lead has a score yet");
  const found =
    `${leads} leads have a score, the highest is ${highest}, the threshold ${threshold}`;
  if (highest >= threshold) return pass(check, found);
  const isProbability = highest <= 1 && threshold > 1;
  const lower = isProbability ? `${Number((threshold / 100).toPrecision(6))}` : "…";
  const scaled = `${expression ?? "l.ml_score"} * ${isProbability ? "100" : "…"}`;
  return warn(
    check,
    `enrolment is on, and no lead can reach it: ${found}`,
    `npx supabase secrets set MAUTIC_HIGH_VALUE_THRESHOLD=${lower}; ` +
      `or scale the score in the table's mautic.attach(…, score => '${scaled}').`,
  );
}
