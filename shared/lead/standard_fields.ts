/** A custom field that the mapping fills from the start; see table mautic.field_map. */
export interface StandardField {
  alias: string;
  /** The part of a lead that fills it, as mautic.map_field(alias, part) names it. */
  part: string;
  /** What set-up calls it in Mautic. */
  label: string;
}

export const standardFields: readonly StandardField[] = [
  { alias: "hki_utm_source", part: "utm_source", label: "Lead UTM source" },
  { alias: "hki_utm_medium", part: "utm_medium", label: "Lead UTM medium" },
  { alias: "hki_utm_campaign", part: "utm_campaign", label: "Lead UTM campaign" },
  { alias: "hki_utm_term", part: "utm_term", label: "Lead UTM term" },
  { alias: "hki_utm_content", part: "utm_content", label: "Lead UTM content" },
  { alias: "hki_score", part: "score", label: "Lead score" },
  { alias: "hki_status", part: "stage", label: "Lead status" },
  { alias: "hki_lead_id", part: "key", label: "Lead id" },
];

/** The statement by which nothing is sent to a field any more. */
export function unmapStatement(alias: string): string {
  return `select mautic.unmap_field('${alias}');`;
}

/** The statements by which a part of the lead goes to another field than now. */
export function remapStatement(
  { alias, part }: Pick<StandardField, "alias" | "part">,
  other: string,
): string {
  return `${unmapStatement(alias)} select mautic.map_field('${other}', '${part}');`;
}
