/** The custom contact fields that the mapping in the database fills. */
import type { Sql } from "postgres";
import { z } from "zod";
import { remapStatement, standardFields } from "shared/lead/standard_fields.ts";

export interface WantedField {
  alias: string;
  label: string;
  type: "number" | "text";
}

/** The fields that a fresh Mautic has: nobody has to make them, and their types are Mautic's. */
const mauticsOwn = new Set([
  ...["title", "firstname", "lastname", "company", "position", "email", "mobile", "phone", "fax"],
  ...[
    "address1",
    "address2",
    "city",
    "state",
    "zipcode",
    "country",
    "preferred_locale",
    "timezone",
  ],
  ...["points", "last_active", "attribution", "attribution_date", "website", "facebook"],
  ...["foursquare", "instagram", "linkedin", "skype", "twitter"],
]);

/** A contact field that leads fill, and what they fill it with. */
export type MappedField = Pick<WantedField, "alias" | "type">;

const rows = z.array(z.object({ alias: z.string(), type: z.enum(["text", "number"]) }));

/** Reads what is mapped, in the order of the mapping. Errors: what postgres.js raises. */
export async function readMapped(sql: Sql): Promise<MappedField[]> {
  return rows.parse(await sql`select alias, type from mautic.read_fields()`);
}

/** The custom ones of the mapped fields, each once however many tables fill it. */
export function wantedFields(mapped: MappedField[]): WantedField[] {
  const firstPlace = (alias: string) => mapped.findIndex((each) => each.alias === alias);
  return mapped
    .filter(({ alias }, place) => !mauticsOwn.has(alias) && firstPlace(alias) === place)
    .map(({ alias, type }) => ({ alias, type, label: labelOf(alias) }));
}

function labelOf(alias: string): string {
  const standard = standardFields.find((each) => each.alias === alias);
  return standard?.label ?? alias.replaceAll("_", " ");
}

/** The statements that send to another field what goes to this one. */
export function remapOf(alias: string): string {
  const standard = standardFields.find((each) => each.alias === alias);
  return remapStatement(standard ?? { alias, part: "…" }, "<alias>");
}
