/** From Postgres' error codes to HTTP, as PostgREST maps them. */

const exact: Record<string, number> = {
  "23503": 409,
  "23505": 409,
  "25006": 405,
  "42883": 404,
  "42P01": 404,
  "42P17": 500,
  "53400": 500,
  "57P01": 503,
  P0001: 400,
};

const byClass: Record<string, number> = {
  "08": 503,
  "09": 500,
  "0L": 403,
  "0P": 403,
  "25": 500,
  "28": 403,
  "2D": 500,
  "38": 500,
  "39": 500,
  "3B": 500,
  "40": 500,
  "53": 503,
  "54": 413,
  "55": 500,
  "57": 500,
  "58": 500,
  F0: 500,
  HV: 500,
  P0: 500,
  XX: 500,
};

/**
 * HTTP status for an SQLSTATE.
 *
 * @see https://docs.postgrest.org/en/stable/references/errors.html#http-status-codes
 */
export function httpStatus(sqlstate: string, role: string): number {
  if (sqlstate === "42501") return role === "anon" ? 401 : 403;
  const raised = /^PT([1-5]\d\d)$/.exec(sqlstate);
  if (raised !== null) return Number(raised[1]);
  return exact[sqlstate] ?? byClass[sqlstate.slice(0, 2)] ?? 400;
}
