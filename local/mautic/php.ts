/** How PHP writes what Mautic sends: JSON escapes, arrays that turn into objects, serialised arrays, dates. */
import type { Json, JsonObject } from "./types.ts";

/** JSON as PHP's `json_encode` writes it: `\/` and `\uXXXX`, which the webhook signature covers. */
export function phpJson(value: Json): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(
      /[\u007f-\uffff]/g,
      (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
    );
}

/** A PHP array: a JSON list only when its keys are exactly 0…n-1 in order, an object otherwise. */
export function phpArray(entries: [key: string, value: Json][]): Json {
  if (entries.every(([name], index) => name === String(index))) {
    return entries.map(([, value]) => value);
  }
  return Object.fromEntries(entries);
}

/** A list envelope keyed by id, which PHP writes as `[]` when it is empty. */
export function keyedById(entries: [key: string, value: Json][]): Json {
  return entries.length === 0 ? [] : Object.fromEntries(entries);
}

/** PHP's `serialize()` for what field properties hold. */
export function phpSerialize(value: Json): string {
  if (value === null) return "N;";
  if (typeof value === "boolean") return `b:${value ? 1 : 0};`;
  if (typeof value === "number") return Number.isInteger(value) ? `i:${value};` : `d:${value};`;
  if (typeof value === "string") {
    return `s:${new TextEncoder().encode(value).length}:"${value}";`;
  }
  const entries: [string | number, Json][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : Object.entries(value);
  const inner = entries.map(([key, item]) =>
    phpSerialize(typeof key === "string" && /^\d+$/.test(key) ? Number(key) : key) +
    phpSerialize(item)
  );
  return `a:${entries.length}:{${inner.join("")}}`;
}

/** `2026-11-23T08:03:32+00:00`, how the API and the webhooks write an entity's dates. */
export function isoDate(milliseconds: number | null): string | null {
  return milliseconds === null
    ? null
    : new Date(milliseconds).toISOString().slice(0, 19) + "+00:00";
}

/** `2026-11-23 08:03:32`, how columns and field values show a date. */
export function sqlDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}

/** PHP's `empty()`, the rule by which POST and PATCH ignore a value. */
export function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "" || value === "0" || value === 0 ||
    value === false || (Array.isArray(value) && value.length === 0);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The integer a PHP cast gives: `"12abc"` is 12, everything else that is no number is 0. */
export function toInteger(value: Json | undefined): number {
  if (typeof value === "number") return Math.trunc(value);
  if (value === true) return 1;
  const digits = typeof value === "string" ? /^\s*[+-]?\d+/.exec(value) : null;
  return digits ? Number(digits[0]) : 0;
}

/** A form or query string with PHP's bracket syntax (`where[0][col]=id`) as nested objects. */
export function parseQuery(text: string): JsonObject {
  const root: JsonObject = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [head, ...rest] = name.split("[").map((part) => part.replace(/\]$/, ""));
    let node = root;
    const path = [head ?? "", ...rest];
    path.forEach((part, depth) => {
      const key = part === "" ? String(Object.keys(node).length) : part;
      if (depth === path.length - 1) {
        node[key] = value;
        return;
      }
      const next = node[key];
      const child: JsonObject = isObject(next) ? next : {};
      node[key] = child;
      node = child;
    });
  }
  return root;
}
