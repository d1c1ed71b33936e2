import type { FieldMap, FieldMapping } from "shared/lead/field_map.ts";
import type { Lead } from "shared/lead/lead.ts";
import type { LeadPayload } from "shared/lead/payload.ts";

const text = (alias: string, more: Partial<FieldMapping> = {}): FieldMapping => ({
  alias,
  type: "text",
  part: null,
  when_blank: "clear",
  too_long: "cut",
  ...more,
});

export const utmAliases = ["source", "medium", "campaign", "term", "content"]
  .map((part) => `hki_utm_${part}`);

/** The mapping that a fresh database has. */
export const fieldMap: FieldMap = [
  ...utmAliases.map((alias) =>
    text(alias, { part: ["utm", alias.replace("hki_utm_", "")], when_blank: "keep" })
  ),
  text("hki_score", { type: "number" }),
  text("hki_status"),
  text("hki_lead_id", { too_long: "refuse" }),
  ...["firstname", "lastname", "phone", "company"].map((alias) => text(alias)),
];
export const mappedAliases = fieldMap.map(({ alias }) => alias);

/** A lead that says nothing but its id, with whatever else is given. */
export function leadPayload(id: string, more: Partial<LeadPayload> = {}): LeadPayload {
  return {
    id,
    in_scope: true,
    email: `${id}@example.test`,
    stage: null,
    consent: null,
    score: null,
    fields: {},
    unreadable: [],
    missing: [],
    ...more,
  };
}

/** What a caller of upsert_contact says of a lead, as the database maps it. */
export function payloadOfCaller(lead: Lead): LeadPayload {
  const { contact, utm, ml } = lead;
  const said: [alias: string, value: string | number | null | undefined][] = [
    ["hki_utm_source", utm?.source],
    ["hki_utm_medium", utm?.medium],
    ["hki_utm_campaign", utm?.campaign],
    ["hki_utm_term", utm?.term],
    ["hki_utm_content", utm?.content],
    ["hki_score", ml?.score],
    ["hki_status", lead.crm_status],
    ["hki_lead_id", lead.id],
    ["firstname", contact.first_name],
    ["lastname", contact.last_name],
    ["phone", contact.phone],
    ["company", contact.company],
  ];
  return leadPayload(lead.id, {
    email: contact.email,
    stage: lead.crm_status ?? null,
    consent: lead.consent?.marketing_opt_in ?? null,
    score: ml?.score ?? null,
    fields: Object.fromEntries(
      said.flatMap(([alias, value]) => value === undefined ? [] : [[alias, value]]),
    ),
  });
}

/** The other way round: the whole of a row, as a caller of upsert_contact would send it. */
export function callerLead({ id, email, stage, consent, score, fields }: LeadPayload) {
  return {
    id,
    crm_status: stage,
    consent: { marketing_opt_in: consent },
    ml: { score },
    contact: {
      email,
      first_name: fields["firstname"],
      last_name: fields["lastname"],
      phone: fields["phone"],
      company: fields["company"],
    },
    utm: Object.fromEntries(
      utmAliases.map((alias) => [alias.replace("hki_utm_", ""), fields[alias]]),
    ),
  };
}
