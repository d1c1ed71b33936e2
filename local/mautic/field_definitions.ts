/** The contact fields of a fresh Mautic 5.1.1 and those the product adds. */
import { z } from "zod";
import standard from "./standard_fields.json" with { type: "json" };
import { FIELD_TYPES, type FieldDefinition, type FieldType, type JsonObject } from "./types.ts";

/** Recorded: 28 contact fields, then 15 company fields that share the id sequence. */
export const FIRST_CUSTOM_FIELD_ID = 44;

export const DEFAULT_CHARACTER_LIMIT = 64;

export interface CustomFieldOptions {
  alias: string;
  label?: string;
  type?: FieldType;
  isUniqueIdentifier?: boolean;
  isRequired?: boolean;
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

/** By the group they are shown in. */
const recorded = z.record(
  z.string(),
  z.array(z.object({
    alias: z.string(),
    label: z.string(),
    type: z.enum(FIELD_TYPES),
    isFixed: z.boolean().default(false),
    isShortVisible: z.boolean().default(false),
    properties: z.record(z.string(), z.json()).default({}),
  })),
).parse(standard);

/** The 28 fields every Mautic has, with the recorded ids. */
export function standardFields(characterLimit: number): FieldDefinition[] {
  const fields = Object.entries(recorded).flatMap(([group, rows]) =>
    rows.map((row) => ({ ...row, group }))
  );
  return fields.map((field, index) => ({
    ...field,
    id: index + 1,
    order: index + 1,
    isUniqueIdentifier: field.alias === "email",
    isRequired: false,
    defaultValue: field.alias === "points" ? "0" : null,
    characterLimit,
    dateAdded: null,
    createdByUser: null,
  }));
}
