/** Cleaning and checking of one field value, as Mautic's input filters and form do it. */
import { isObject, sqlDate } from "./php.ts";
import { isAllowedPlace } from "./places.ts";
import type { FieldDefinition, Json, Value } from "./types.ts";

/** `ignored`: the value changes nothing and nobody is told (an unparsable date). */
export type Checked =
  | { kind: "value"; value: Value }
  | { kind: "ignored" }
  | { kind: "invalid"; message: string };

const INVALID: Checked = { kind: "invalid", message: "This value is not valid." };

/** The column is varchar(191); the field's own limit is 64 on a fresh installation. */
const COLUMN_LENGTH = 191;

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Strips tags and decodes entities: `Tom & Jerry <3` becomes `Tom & Jerry` (recorded). */
export function cleanText(text: string): string {
  const stripped = text.includes("<") ? text.replace(/<(?=\S)[^>]*(?:>|$)/g, "") : text;
  const decoded = stripped.includes("&")
    ? stripped.replace(
      /&(?:#(\d+)|(amp|lt|gt|quot|apos));/g,
      (whole, code, name) =>
        code === undefined ? ENTITIES[name] ?? whole : String.fromCodePoint(Number(code)),
    )
    : stripped;
  return decoded.trim();
}

/** Removes every character an address may not hold: `josé@…` becomes `jos@…` (recorded). */
export function cleanEmail(text: string): string {
  return text.replace(/[^A-Za-z0-9!#$%&'*+\-=?^_`{|}~@.[\]]/g, "");
}

function isValidEmail(email: string): boolean {
  return !/[\^&*%]/.test(email) &&
    /^[A-Za-z0-9!#$'+\-=?_`{|}~.]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(email) &&
    !/^\.|\.@|\.\./.test(email);
}

/** A value that is not empty in PHP's sense, cleaned and checked against its field. */
export function checkValue(field: FieldDefinition, raw: Json): Checked {
  switch (field.type) {
    case "number":
      return checkNumber(raw);
    case "boolean":
      return checkBoolean(raw);
    case "date":
    case "datetime":
      return checkDate(field.type, raw);
    case "multiselect":
      return checkMultiselect(field, raw);
    default:
      return checkText(field, raw);
  }
}

function checkNumber(raw: Json): Checked {
  if (typeof raw === "boolean") return { kind: "value", value: raw ? 1 : 0 };
  if (typeof raw === "number") return { kind: "value", value: raw };
  const text = typeof raw === "string" ? raw.trim() : "";
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
    ? { kind: "value", value: Number(text) }
    : INVALID;
}

function checkBoolean(raw: Json): Checked {
  if (typeof raw === "object") return INVALID;
  const isFalse = raw === false || raw === 0 ||
    ["0", "false", "no", "off"].includes(String(raw).toLowerCase());
  return { kind: "value", value: !isFalse };
}

function checkDate(type: "date" | "datetime", raw: Json): Checked {
  if (typeof raw !== "string") return { kind: "ignored" };
  const milliseconds = parseDate(raw);
  if (milliseconds === null) return { kind: "ignored" };
  const text = sqlDate(milliseconds);
  // Recorded: the seconds of a datetime are dropped, a date keeps only its UTC day.
  return { kind: "value", value: type === "date" ? text.slice(0, 10) : text.slice(0, 17) + "00" };
}

/** Milliseconds of a date with or without time and offset (UTC when none is given), else null. */
export function parseDate(text: string): number | null {
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/
      .exec(text.trim());
  if (!match) return null;
  const parsed = Date.parse(`${match[1]}T${match[2] ?? "00:00"}${match[3] ?? "Z"}`);
  return Number.isNaN(parsed) ? null : parsed;
}

/** The options of a select or multiselect as value → label. */
export function fieldOptions(field: FieldDefinition): Map<string, string> {
  const list = field.properties.list;
  const options = new Map<string, string>();
  for (const item of Array.isArray(list) ? list : []) {
    if (isObject(item)) options.set(String(item.value), String(item.label));
    else options.set(String(item), String(item));
  }
  return options;
}

function checkMultiselect(field: FieldDefinition, raw: Json): Checked {
  const chosen = Array.isArray(raw) ? raw.map(String) : String(raw).split("|");
  const options = fieldOptions(field);
  return chosen.every((item) => options.has(item))
    ? { kind: "value", value: chosen.join("|") }
    : INVALID;
}

function checkText(field: FieldDefinition, raw: Json): Checked {
  if (typeof raw === "object") return INVALID;
  const text = cleanText(raw === true ? "1" : String(raw));
  if (field.type === "email") return checkEmail(field, cleanEmail(text));
  switch (field.type) {
    case "country":
    case "region":
    case "timezone":
    case "locale":
      return isAllowedPlace(field.type, text) ? { kind: "value", value: text } : INVALID;
    case "select":
      return fieldOptions(field).has(text) ? { kind: "value", value: text } : INVALID;
  }
  const limit = text.length > COLUMN_LENGTH ? COLUMN_LENGTH : field.characterLimit;
  if (field.type !== "textarea" && text.length > limit) return tooLong(limit);
  if (field.type === "url" && !/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    return { kind: "value", value: `http://${text}` };
  }
  return { kind: "value", value: text };
}

function checkEmail(field: FieldDefinition, email: string): Checked {
  if (email.length > field.characterLimit) return tooLong(field.characterLimit);
  if (!isValidEmail(email)) return { kind: "invalid", message: `${email} is invalid.` };
  return { kind: "value", value: email };
}

function tooLong(limit: number): Checked {
  return {
    kind: "invalid",
    message: `This value is too long. It should have ${limit} characters or less.`,
  };
}
