import type { FieldAliases } from "shared/lead/map_lead.ts";
import type { Reader } from "./reader.ts";

/** Filled from the lead's contact data; `points` is a score that Mautic changes by itself. */
const reserved = new Map([
  ...["email", "firstname", "lastname", "phone", "company"].map((alias): [string, string] => [
    alias,
    "a core field that the lead's contact data fill",
  ]),
  ...["source", "medium", "campaign", "term", "content"].map((part): [string, string] => [
    `utm_${part}`,
    "reserved by Mautic for segment filters, which drops the value silently",
  ]),
  ...["id", "tags", "owner", "stage", "companies", "points"].map((alias): [string, string] => [
    alias,
    "no custom field: it means something of its own in Mautic's API",
  ]),
]);

const variables: { [Name in keyof FieldAliases]: [variable: string, fallback: string] } = {
  score: ["MAUTIC_FIELD_SCORE", "hki_score"],
  status: ["MAUTIC_FIELD_STATUS", "hki_status"],
  leadId: ["MAUTIC_FIELD_LEAD_ID", "hki_lead_id"],
  utmSource: ["MAUTIC_FIELD_UTM_SOURCE", "hki_utm_source"],
  utmMedium: ["MAUTIC_FIELD_UTM_MEDIUM", "hki_utm_medium"],
  utmCampaign: ["MAUTIC_FIELD_UTM_CAMPAIGN", "hki_utm_campaign"],
  utmTerm: ["MAUTIC_FIELD_UTM_TERM", "hki_utm_term"],
  utmContent: ["MAUTIC_FIELD_UTM_CONTENT", "hki_utm_content"],
};

/** Reads the MAUTIC_FIELD_* aliases; `-` means not mapped. Bad ones become problems. */
export function aliasReader(read: Reader): FieldAliases {
  const taken = new Map<string, string>();
  function alias([variable, fallback]: [string, string]): string | null {
    const value = read.raw(variable) ?? fallback;
    if (value === "-") return null;
    const why = reserved.get(value);
    const twin = taken.get(value);
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(value)) {
      read.problem(
        variable,
        `holds ${
          read.show(value)
        }; expected the alias of a contact field in Mautic (lower-case letters, digits, _), or - for none`,
      );
    } else if (why) {
      read.problem(
        variable,
        `holds "${value}", which is ${why}; expected the alias of a custom field such as ${fallback}`,
      );
    } else if (twin) {
      read.problem(
        variable,
        `holds "${value}", which ${twin} holds too; each value needs a field of its own`,
      );
    }
    taken.set(value, variable);
    return value;
  }
  return {
    score: alias(variables.score),
    status: alias(variables.status),
    leadId: alias(variables.leadId),
    utmSource: alias(variables.utmSource),
    utmMedium: alias(variables.utmMedium),
    utmCampaign: alias(variables.utmCampaign),
    utmTerm: alias(variables.utmTerm),
    utmContent: alias(variables.utmContent),
  };
}
