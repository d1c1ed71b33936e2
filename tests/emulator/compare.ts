/** Compares a recorded JSON body with the emulator's: same shape, same values where they can be. */
import { isObject } from "../../local/mautic/php.ts";
import type { Json, JsonObject } from "../../local/mautic/types.ts";

/** Values that differ by their nature: only null or not, and the format, are compared. */
const DATES =
  /^(dateAdded|dateModified|dateIdentified|lastActive|date_added|timestamp|last_active)$/;

/** One line for each difference, empty when there is none. */
export function differences(recorded: Json, actual: Json, path = "body"): string[] {
  const key = path.slice(path.lastIndexOf(".") + 1);
  if (DATES.test(key)) return sameFormat(recorded, actual, path);
  if (key === "access_token" || key === "secret") return sameSecret(recorded, actual, path);
  if (key === "tags" && Array.isArray(recorded) && Array.isArray(actual)) {
    return sameValue(tagNames(recorded), tagNames(actual), path);
  }
  if (key === "fields" && isObject(recorded) && isObject(actual) && "core" in recorded) {
    return sameFields(recorded, actual, path);
  }
  // Serialised with everything on the real server; the emulator has its name and id.
  if (key === "company" && isObject(recorded) && isObject(actual)) {
    return sameValue([recorded.name ?? null], [actual.name ?? null], path);
  }
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    if (recorded.length !== actual.length) {
      return [`${path}: ${recorded.length} items recorded, ${actual.length} now`];
    }
    return recorded.flatMap((item, index) =>
      differences(item, actual[index] ?? null, `${path}[${index}]`)
    );
  }
  if (isObject(recorded) && isObject(actual)) return sameObject(recorded, actual, path);
  return sameValue(recorded, actual, path);
}

function sameObject(recorded: JsonObject, actual: JsonObject, path: string): string[] {
  const keys = new Set([...Object.keys(recorded), ...Object.keys(actual)]);
  return [...keys].flatMap((key) => {
    const [was, is] = [recorded[key], actual[key]];
    if (was === undefined) return [`${path}.${key}: not recorded, now ${JSON.stringify(is)}`];
    if (is === undefined) return [`${path}.${key}: recorded ${JSON.stringify(was)}, missing now`];
    return differences(was, is, `${path}.${key}`);
  });
}

function sameValue(recorded: Json, actual: Json, path: string): string[] {
  const [was, is] = [JSON.stringify(recorded), JSON.stringify(actual)];
  return was === is ? [] : [`${path}: recorded ${was}, now ${is}`];
}

function sameFormat(recorded: Json, actual: Json, path: string): string[] {
  return sameValue(format(recorded), format(actual), path);
}

function format(value: Json): Json {
  return typeof value === "string" ? value.replaceAll(/\d/g, "0") : value;
}

function sameSecret(recorded: Json, actual: Json, path: string): string[] {
  const isInvented = (value: Json) => typeof value === "string" && value.length >= 20;
  return isInvented(recorded) && isInvented(actual) ? [] : sameValue(recorded, actual, path);
}

function tagNames(tags: Json[]): Json[] {
  return tags.map((tag) => isObject(tag) ? String(tag.tag) : "?").sort();
}

/** Most recordings keep only id, alias, type and values of a field: what they keep is compared. */
function sameFields(recorded: JsonObject, actual: JsonObject, path: string): string[] {
  return Object.entries(recorded).flatMap(([group, was]) => {
    const is = actual[group];
    if (!isObject(was) || !isObject(is)) return sameValue(was, is ?? null, `${path}.${group}`);
    if (Object.keys(was).length !== Object.keys(is).length) {
      return [`${path}.${group}: ${Object.keys(was)} recorded, ${Object.keys(is)} now`];
    }
    return Object.entries(was).flatMap(([alias, field]) => {
      const now = is[alias] ?? null;
      const where = `${path}.${group}.${alias}`;
      if (DATES.test(alias)) return [];
      if (!isObject(field) || !isObject(now)) return sameFieldValue(field, now, where);
      const isBoolean = field.type === "boolean";
      return Object.entries(field).flatMap(([key, value]) =>
        key === "value" && isBoolean && value !== null && value !== ""
          ? sameValue(Boolean(value), Boolean(now[key]), `${where}.${key}`)
          : key === "value" || key === "normalizedValue"
          ? sameFieldValue(value, now[key] ?? null, `${where}.${key}`)
          : sameValue(value, now[key] ?? null, `${where}.${key}`)
      );
    });
  }).concat("all" in actual && !("all" in recorded) ? [`${path}.all: not recorded`] : []);
}

/** Blank is `""` or null, depending on how Mautic came by it; true and 1, false and 0 alternate. */
function sameFieldValue(recorded: Json, actual: Json, path: string): string[] {
  const plain = (value: Json) =>
    value === "" ? null : typeof value === "boolean" ? Number(value) : value;
  return sameValue(plain(recorded), plain(actual), path);
}
