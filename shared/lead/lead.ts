import { z } from "zod";
import { type Issue, issuesOf } from "./issue.ts";

/** Without what Postgres cannot store: NUL, and halves of characters. */
const text = z.string().transform((given) => given.replaceAll("\u0000", "").toWellFormed())
  .nullish();

const leadId = z.union([
  z.string().trim().min(1, "expected 1 to 128 characters").max(
    128,
    "expected 1 to 128 characters",
  ).refine(
    // Postgres holds neither in a text: no lead of the table has such an id.
    (id) => id.isWellFormed() && !id.includes("\u0000"),
    "expected Unicode without NUL",
  ),
  z.int().transform(String),
], "expected a text of 1 to 128 characters");

/** A number, or one written out: callers read `numeric` columns as text. */
const score = z.union([
  z.number(),
  z.string().trim().regex(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i).transform(Number)
    .refine(Number.isFinite),
], "expected a number").nullish();

/**
 * A lead as callers of upsert_contact give it; unknown keys are ignored. A key that is absent stays
 * absent: what a caller says nothing of is not changed.
 */
export const leadSchema = z.object({
  id: leadId,
  crm_status: text,
  consent: z.object({ marketing_opt_in: z.boolean().nullish() }).nullish(),
  ml: z.object({ score }).nullish(),
  contact: z.object({
    email: z.string("expected an e-mail address"),
    first_name: text,
    last_name: text,
    phone: text,
    company: text,
  }),
  utm: z.object({ source: text, medium: text, campaign: text, term: text, content: text })
    .nullish(),
});

/** Everything but `id` and `contact.email` may be missing or null. */
export type Lead = z.infer<typeof leadSchema>;

export type ParsedLead = { ok: true; lead: Lead } | { ok: false; issues: Issue[] };

/** Checks a lead payload. Total: whatever comes, the answer is a lead or the list of its faults. */
export function parseLead(value: unknown): ParsedLead {
  const parsed = leadSchema.safeParse(value);
  if (parsed.success) return { ok: true, lead: parsed.data };
  return { ok: false, issues: issuesOf(parsed.error) };
}
