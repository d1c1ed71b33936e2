/**
 * From a request body to new field values: what is kept, blanked, stored, refused (docs/mautic.md,
 * "Values").
 */
import type { FieldErrors } from "./answers.ts";
import { checkValue, cleanEmail, cleanText } from "./field_values.ts";
import { isEmpty } from "./php.ts";
import { collate, type State } from "./state.ts";
import type { Contact, FieldDefinition, Json, JsonObject, Value } from "./types.ts";

export type SaveMode = "post" | "patch" | "put";

export interface FieldInput {
  /** New values by alias; `points` included. */
  values: Map<string, Value>;
  blanked: Set<string>;
  errors: FieldErrors;
}

/**
 * Reads every field of the body against the contact that will take it (null: a new one).
 *
 * @param isPart the form is bound to what was sent, and asks for nothing else: an edit by PATCH, and
 * an item of `batch/new` that met a contact (by Mautic's source, 5)
 */
export function readFields(
  fields: readonly FieldDefinition[],
  body: JsonObject,
  mode: SaveMode,
  contact: Contact | null,
  isPart: boolean,
): FieldInput {
  const input: FieldInput = { values: new Map(), blanked: new Set(), errors: [] };
  const overwrites = isTrue(body.overwriteWithBlank);
  for (const field of fields) {
    if (lacksRequired(field, body, isPart)) {
      input.errors.push([field.alias, ["This field is required."]]);
    }
    if (!(field.alias in body)) {
      // PUT blanks what is missing; so does the flag on a POST that matched a contact.
      if (mode === "put" || (mode === "post" && overwrites && contact)) {
        blank(input, field, mode, contact);
      }
      // The answer to a PATCH with the flag shows fields that are empty as blanked, e.g. a number as 0
      // (recorded: contact-custom-patch-null-overwriteWithBlank, its attribution).
      const isEmptyNow = field.alias !== "points" && !contact?.values.has(field.alias);
      if (mode === "patch" && overwrites && isEmptyNow) input.blanked.add(field.alias);
      continue;
    }
    readField(input, field, body[field.alias] ?? null, { mode, overwrites, contact });
  }
  return input;
}

/** The words are those of a company's name, whose form is the same (recorded: company-new-no-name). */
function lacksRequired(field: FieldDefinition, body: JsonObject, isPart: boolean): boolean {
  if (!field.isRequired || (isPart && !(field.alias in body))) return false;
  return isBlank(body[field.alias] ?? field.defaultValue);
}

function isBlank(raw: Json): boolean {
  return raw === null || raw === "" || (Array.isArray(raw) && raw.length === 0) ||
    (typeof raw === "string" && raw.trim() === "");
}

function readField(
  input: FieldInput,
  field: FieldDefinition,
  raw: Json,
  { mode, overwrites, contact }: { mode: SaveMode; overwrites: boolean; contact: Contact | null },
): void {
  if (isBlank(raw)) {
    if (mode === "put" || overwrites) blank(input, field, mode, contact);
    return;
  }
  if (mode !== "put" && isIgnoredZero(field, raw)) return;
  const checked = checkValue(field, raw);
  if (checked.kind === "invalid") input.errors.push([field.alias, [checked.message]]);
  if (checked.kind === "value") input.values.set(field.alias, checked.value);
}

/**
 * POST and PATCH drop zeros: `0`, `"0"` (recorded: contact-custom-patch-zero,
 * contact-custom-patch-text-zero-string), and for number fields `"0.0"` too (seen live).
 */
function isIgnoredZero(field: FieldDefinition, raw: Json): boolean {
  if (field.type === "boolean" && raw === false) return false;
  if (isEmpty(raw)) return true;
  return field.type === "number" && typeof raw === "string" && Number(raw) === 0;
}

function blank(
  input: FieldInput,
  field: FieldDefinition,
  mode: SaveMode,
  contact: Contact | null,
): void {
  // A date keeps its value when it is sent empty with the flag (recorded:
  // contact-custom-patch-empty-overwriteWithBlank).
  if (mode !== "put" && (field.type === "date" || field.type === "datetime")) return;
  if (field.alias === "points") {
    input.values.set("points", 0);
    if (contact) input.blanked.add("points");
    return;
  }
  input.values.set(field.alias, null);
  input.blanked.add(field.alias);
}

function isTrue(value: Json | undefined): boolean {
  return value === true || value === 1 || value === "1" || value === "true";
}

/**
 * The contact a POST means: any unique field of the body may match (OR, the default operator);
 * of several the newest wins.
 */
export function matchContact(state: State, body: JsonObject): Contact | null {
  const matches: Contact[] = [];
  for (const [alias, byValue] of state.unique) {
    const raw = body[alias];
    if (typeof raw !== "string" && typeof raw !== "number") continue;
    const text = cleanText(String(raw));
    const collated = collate(alias === "email" ? cleanEmail(text) : text);
    if (collated === "") continue;
    for (const id of byValue.get(collated) ?? []) {
      const contact = state.contacts.get(id);
      if (contact) matches.push(contact);
    }
  }
  matches.sort((a, b) => b.dateAdded - a.dateAdded || b.id - a.id);
  return matches[0] ?? null;
}

/** Unique values this save would share with another contact; stored ones count as well. */
export function uniqueViolations(
  state: State,
  contact: Contact | null,
  values: ReadonlyMap<string, Value>,
): FieldErrors {
  const errors: FieldErrors = [];
  for (const [alias, byValue] of state.unique) {
    const value = values.has(alias) ? values.get(alias) : contact?.values.get(alias);
    if (typeof value !== "string" || value === "") continue;
    const ids = byValue.get(collate(value));
    if (ids && [...ids].some((id) => id !== contact?.id)) {
      errors.push([alias, ["This field must be unique."]]);
    }
  }
  return errors;
}
