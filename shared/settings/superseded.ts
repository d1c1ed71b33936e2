import {
  remapStatement,
  type StandardField,
  standardFields,
  unmapStatement,
} from "shared/lead/standard_fields.ts";
import type { Env } from "./reader.ts";

/** A variable that is set and not heeded: what it said is in the database now. */
export interface SupersededSetting {
  variable: string;
  /** The SQL that takes its place; null: to remove the variable is all there is to do. */
  statement: string | null;
}

const prefix = "MAUTIC_FIELD_";
/** Of that prefix, and a setting. */
const settings = ["MAUTIC_FIELD_MAX_LENGTH"];

/**
 * The variables that named contact fields before table mautic.field_map did, as far as they are set.
 * Total. Of their values only what may be an alias is shown: a secret may be pasted anywhere.
 */
export function supersededSettings(env: Env): SupersededSetting[] {
  return Object.keys(env).filter((name) => name.startsWith(prefix) && !settings.includes(name))
    .sort()
    .flatMap((variable) => {
      const value = env[variable]?.trim() ?? "";
      if (value === "") return [];
      const field = standardFields.find(({ alias }) => variableOf(alias) === variable);
      return [{ variable, statement: field === undefined ? null : statementFor(field, value) }];
    });
}

/** As they were called: hki_lead_id was the standard of MAUTIC_FIELD_LEAD_ID. */
function variableOf(alias: string): string {
  return prefix + alias.replace(/^hki_/, "").toUpperCase();
}

function statementFor(field: StandardField, value: string): string | null {
  if (value === field.alias) return null;
  if (value === "-") return unmapStatement(field.alias);
  return remapStatement(field, /^[a-z][a-z0-9_]{0,63}$/.test(value) ? value : "<alias>");
}
