import { anyRecord, entriesOf, valuesOf } from "./json.ts";

/** One error of `errors`, whichever of Mautic's shapes it has. */
export interface WireError {
  code: number | undefined;
  message: string;
  type: string | undefined;
  /** alias → messages; undefined where Mautic sends no `details` at all. */
  details: Record<string, string[]> | undefined;
}

/** Reads one entry of `errors`. Total. */
export function wireError(value: unknown): WireError {
  const error = anyRecord.safeParse(value).data ?? {};
  const { code, message, type, details } = error;
  return {
    code: typeof code === "number" ? code : undefined,
    message: typeof message === "string" ? message : "no message",
    type: typeof type === "string" ? type : undefined,
    details: details === undefined || details === null ? undefined : Object.fromEntries(
      entriesOf(details).map(([alias, messages]) => [
        alias,
        typeof messages === "string" ? [messages] : valuesOf(messages).map(String),
      ]),
    ),
  };
}

/** The errors of a whole answer; empty when it has none. Total. */
export function wireErrors(json: unknown): WireError[] {
  return valuesOf(anyRecord.safeParse(json).data?.["errors"]).map(wireError);
}
