/** The custom contact fields that the configured aliases stand for. */
import type { FieldAliases } from "shared/lead/map_lead.ts";

export interface WantedField {
  /** The end of the check's name, e.g. `lead_id`. */
  name: string;
  alias: string;
  label: string;
  type: "number" | "text";
}

const kinds: { key: keyof FieldAliases; name: string; label: string; type: "number" | "text" }[] = [
  { key: "score", name: "score", label: "Lead score", type: "number" },
  { key: "status", name: "status", label: "Lead status", type: "text" },
  { key: "leadId", name: "lead_id", label: "Lead id", type: "text" },
  { key: "utmSource", name: "utm_source", label: "Lead UTM source", type: "text" },
  { key: "utmMedium", name: "utm_medium", label: "Lead UTM medium", type: "text" },
  { key: "utmCampaign", name: "utm_campaign", label: "Lead UTM campaign", type: "text" },
  { key: "utmTerm", name: "utm_term", label: "Lead UTM term", type: "text" },
  { key: "utmContent", name: "utm_content", label: "Lead UTM content", type: "text" },
];

/** Those that are mapped, in a fixed order. */
export function wantedFields(aliases: FieldAliases): WantedField[] {
  return kinds.flatMap(({ key, ...kind }) => {
    const alias = aliases[key];
    return alias === null ? [] : [{ ...kind, alias }];
  });
}
