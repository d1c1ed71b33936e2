/** One request and what came of it; never raises, never follows a redirect. */
import { z } from "zod";
import { messageOf } from "shared/errors/message.ts";

export type Reached =
  | { kind: "answered"; status: number; headers: Headers; json: unknown }
  | { kind: "unreachable"; reason: string };

export interface ProbeRequest {
  method: "GET" | "POST";
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

/** A cold function that asks a slow Mautic takes its time. */
const timeoutMs = 40_000;

/** Sends the request and reads the answer, JSON or not. */
export async function probe(
  fetch: typeof globalThis.fetch,
  request: ProbeRequest,
): Promise<Reached> {
  const { method, url, headers, body } = request;
  try {
    const response = await fetch(url, {
      method,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      kind: "answered",
      status: response.status,
      headers: response.headers,
      json: parse(text),
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { kind: "unreachable", reason: messageOf(cause, 160) };
  }
}

/** Where a redirect leads, as an absolute address without query; undefined for other answers. */
export function redirectTarget(url: string, reached: Reached): string | undefined {
  if (reached.kind !== "answered" || reached.status < 300 || reached.status > 399) return undefined;
  const location = reached.headers.get("Location") ?? "";
  if (!URL.canParse(location, url)) return "an unknown address";
  const target = new URL(location, url);
  return target.origin + target.pathname;
}

/** An answer of our functions. */
const functionAnswer = z.union([
  z.object({ ok: z.literal(true), data: z.record(z.string(), z.unknown()) }),
  z.object({
    ok: z.literal(false),
    error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
  }),
]);
export type FunctionAnswer = z.infer<typeof functionAnswer>;

/** The answer, when one of our functions gave it and not something in front of it. */
export function functionAnswerOf(json: unknown): FunctionAnswer | undefined {
  return functionAnswer.safeParse(json).data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
