import { readBody, type RequestBody } from "shared/http/body.ts";

/** What can be wrong with a body before it is looked into. */
export type Body = { ok: true; value: unknown } | Extract<RequestBody, { ok: false }>;

/** Reads a JSON body within these bounds. */
export async function readJson(
  request: Request,
  limits: { maxBytes: number; timeoutMs: number },
): Promise<Body> {
  const body = await readBody(request, limits);
  if (!body.ok) return body;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body.bytes);
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, code: "invalid_json", message: "The body is not JSON in UTF-8." };
  }
}
