/** The contact fields of a fresh Mautic 5.1.1 and those the product adds. */
import type { FieldDefinition, FieldType, JsonObject } from "./types.ts";

/** Recorded: 28 contact fields, then 15 company fields that share the id sequence. */
export const FIRST_CUSTOM_FIELD_ID = 44;

export const DEFAULT_CHARACTER_LIMIT = 64;

export interface CustomFieldOptions {
  alias: string;
  label?: string;
  type?: FieldType;
  isUniqueIdentifier?: boolean;
  properties?: JsonObject;
  characterLimit?: number;
}

/** The custom fields the lead sync writes to by default. */
export const PRODUCT_FIELDS: CustomFieldOptions[] = [
  { alias: "hki_score", label: "HKI Score", type: "number" },
  { alias: "hki_status", label: "HKI Status" },
  { alias: "hki_lead_id", label: "HKI Lead Id" },
  { alias: "hki_utm_source", label: "HKI UTM Source" },
  { alias: "hki_utm_medium", label: "HKI UTM Medium" },
  { alias: "hki_utm_campaign", label: "HKI UTM Campaign" },
  { alias: "hki_utm_term", label: "HKI UTM Term" },
  { alias: "hki_utm_content", label: "HKI UTM Content" },
];

type Row = [alias: string, label: string, type: FieldType, isFixed: boolean, isShort: boolean];

const CORE: Row[] = [
  ["title", "Title", "lookup", true, false],
  ["firstname", "First Name", "text", true, true],
  ["lastname", "Last Name", "text", true, true],
  ["company", "Primary company", "text", true, false],
  ["position", "Position", "text", true, false],
  ["email", "Email", "email", true, true],
  ["mobile", "Mobile", "tel", true, false],
  ["phone", "Phone", "tel", true, false],
  ["points", "Points", "number", true, false],
  ["fax", "Fax", "tel", false, false],
  ["address1", "Address Line 1", "text", true, false],
  ["address2", "Address Line 2", "text", true, false],
  ["city", "City", "text", true, false],
  ["state", "State", "region", true, false],
  ["zipcode", "Zip Code", "text", true, false],
  ["country", "Country", "country", true, false],
  ["preferred_locale", "Preferred Locale", "locale", true, false],
  ["timezone", "Preferred Timezone", "timezone", true, false],
  ["last_active", "Date Last Active", "datetime", true, false],
  ["attribution_date", "Attribution Date", "datetime", true, false],
  ["attribution", "Attribution", "number", true, false],
  ["website", "Website", "url", false, false],
];

const SOCIAL: Row[] = [
  ["facebook", "Facebook", "text", false, false],
  ["foursquare", "Foursquare", "text", false, false],
  ["instagram", "Instagram", "text", false, false],
  ["linkedin", "mautic.lead.field.linkedin", "text", false, false],
  ["skype", "Skype", "text", false, false],
  ["twitter", "Twitter", "text", false, false],
];

const PROPERTIES: Record<string, JsonObject> = {
  title: { list: ["Mr", "Mrs", "Miss"] },
  attribution: { roundmode: 4, scale: 2 },
};

/** The 28 fields every Mautic has, with the recorded ids. */
export function standardFields(characterLimit: number): FieldDefinition[] {
  const groups: [string, Row[]][] = [["core", CORE], ["social", SOCIAL]];
  let id = 0;
  return groups.flatMap(([group, rows]) =>
    rows.map(([alias, label, type, isFixed, isShortVisible]) => ({
      id: ++id,
      alias,
      label,
      type,
      group,
      order: id,
      isFixed,
      isShortVisible,
      isUniqueIdentifier: alias === "email",
      properties: PROPERTIES[alias] ?? {},
      defaultValue: alias === "points" ? "0" : null,
      characterLimit,
      dateAdded: null,
      createdByUser: null,
    }))
  );
}
