/**
 * The `where` filters, `order` and paging that lists and statistics share (docs/mautic.md, "Reading
 * and finding").
 */
import { isObject, toInteger } from "./php.ts";
import { collate } from "./state.ts";
import type { Json, JsonObject, Value } from "./types.ts";

/** A column that does not exist: contacts answer 500, statistics 200 with `errors`. */
export class UnknownColumn extends Error {
  override name = "UnknownColumn";
  constructor(readonly column: string) {
    super(`Unknown column ${column}`);
  }
}

/** Reads a column of one row; undefined means there is no such column. */
export type Columns<Row> = (row: Row, column: string) => Value | undefined;

export interface Condition {
  col: string;
  expr: string;
  val: string;
  nested: Condition[];
}

/** Reads `where[i][col|expr|val]`; `andX` and `orX` nest their conditions in `val`. */
export function readConditions(where: Json | undefined): Condition[] {
  if (!isObject(where)) return [];
  return Object.values(where).filter(isObject).map((item) => ({
    col: String(item.col ?? item.column ?? ""),
    expr: String(item.expr ?? "eq"),
    val: typeof item.val === "string" ? item.val : "",
    nested: readConditions(item.val),
  }));
}

/** @throws UnknownColumn */
export function matchesAll<Row>(
  row: Row,
  conditions: Condition[],
  columns: Columns<Row>,
): boolean {
  return conditions.every((condition) => matches(row, condition, columns));
}

function matches<Row>(row: Row, condition: Condition, columns: Columns<Row>): boolean {
  if (condition.expr === "orX") {
    return condition.nested.some((nested) => matches(row, nested, columns));
  }
  if (condition.expr === "andX") return matchesAll(row, condition.nested, columns);
  const value = columns(row, condition.col);
  if (value === undefined) throw new UnknownColumn(condition.col);
  switch (condition.expr) {
    case "isNull":
      return value === null;
    case "isNotNull":
      return value !== null;
    case "isEmpty":
      return value === null || value === "";
    case "isNotEmpty":
      return value !== null && value !== "";
    case "in":
      return value !== null && condition.val.split(",").some((item) => compare(value, item) === 0);
    case "notIn":
      return value !== null && !condition.val.split(",").some((item) => compare(value, item) === 0);
  }
  if (value === null) return false;
  switch (condition.expr) {
    case "like":
      return likePattern(condition.val).test(String(value));
    case "notLike":
      return !likePattern(condition.val).test(String(value));
    case "neq":
      return compare(value, condition.val) !== 0;
    case "lt":
      return compare(value, condition.val) < 0;
    case "lte":
      return compare(value, condition.val) <= 0;
    case "gt":
      return compare(value, condition.val) > 0;
    case "gte":
      return compare(value, condition.val) >= 0;
    default:
      return compare(value, condition.val) === 0;
  }
}

function likePattern(pattern: string): RegExp {
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("%", ".*").replaceAll("_", ".")}$`, "is");
}

/** Numbers by value, everything else as MySQL collates text. */
function compare(value: Exclude<Value, null>, text: string): number {
  if (typeof value === "number" || /^-?\d+(\.\d+)?$/.test(String(value))) {
    const number = Number(text);
    if (!Number.isNaN(number)) return Number(value) - number;
  }
  const [left, right] = [collate(String(value)), collate(text)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export interface Ordering {
  col: string;
  descending: boolean;
}

/** `order[i][col|dir]`, then `orderBy` with `orderByDir`; the table alias `l.` may stand in front. */
export function readOrder(query: JsonObject): Ordering[] {
  const orderings: Ordering[] = [];
  if (isObject(query.order)) {
    for (const item of Object.values(query.order).filter(isObject)) {
      orderings.push({
        col: String(item.col ?? ""),
        descending: String(item.dir ?? "asc").toLowerCase() === "desc",
      });
    }
  }
  if (typeof query.orderBy === "string" && query.orderBy !== "") {
    orderings.push({
      col: query.orderBy.replace(/^l\./, ""),
      descending: String(query.orderByDir ?? "asc").toLowerCase() === "desc",
    });
  }
  return orderings;
}

/** Sorts as MySQL does: NULL before every value. @throws UnknownColumn */
export function sortRows<Row>(rows: Row[], orderings: Ordering[], columns: Columns<Row>): Row[] {
  if (orderings.length === 0) return rows;
  const read = (row: Row, column: string) => {
    const value = columns(row, column);
    if (value === undefined) throw new UnknownColumn(column);
    return value;
  };
  return rows.toSorted((a, b) => {
    for (const { col, descending } of orderings) {
      const [left, right] = [read(a, col), read(b, col)];
      const order = left === right
        ? 0
        : left === null
        ? -1
        : right === null
        ? 1
        : compare(left, String(right));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

/** `start` and `limit`. */
export function page<Row>(rows: Row[], query: JsonObject, defaultLimit: number): Row[] {
  const start = toInteger(query.start);
  const limit = query.limit === undefined ? defaultLimit : toInteger(query.limit);
  return rows.slice(start, start + limit);
}
