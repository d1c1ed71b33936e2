/** What can be wrong with a body before it is looked into. */
export type Body =
  | { ok: true; value: unknown }
  | { ok: false; code: "body_too_large" | "invalid_json"; message: string };

/** Reads a JSON body of at most `maxBytes`; stops reading there, whatever content-length said. */
export async function readJson(request: Request, maxBytes: number): Promise<Body> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        return {
          ok: false,
          code: "body_too_large",
          message: `The body has more than ${maxBytes} bytes.`,
        };
      }
      text += decoder.decode(chunk, { stream: true });
    }
    return { ok: true, value: JSON.parse(text + decoder.decode()) };
  } catch {
    return { ok: false, code: "invalid_json", message: "The body is not JSON in UTF-8." };
  }
}
