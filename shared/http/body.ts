/** What can be wrong with a body before it is looked into. */
export type UnreadableBody = {
  ok: false;
  code: "body_too_large" | "body_too_slow" | "invalid_json";
  message: string;
};

export interface BodyLimits {
  maxBytes: number;
  timeoutMs: number;
}

/** Reads a JSON body within these bounds. A byte order mark, which some clients send, is passed over. */
export async function readJson(
  request: Request,
  limits: BodyLimits,
): Promise<{ ok: true; value: unknown } | UnreadableBody> {
  const body = await readBody(request, limits);
  return body.ok ? parseJson(body.bytes, { allowsMark: true }) : body;
}

/**
 * Bytes as JSON in UTF-8: the text as it came and its value. Total. A byte order mark is no JSON,
 * unless `allowsMark`: then it is left out of the text.
 */
export function parseJson(
  bytes: Uint8Array,
  { allowsMark }: { allowsMark: boolean },
): { ok: true; text: string; value: unknown } | UnreadableBody {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: !allowsMark });
    const text = decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    return { ok: true, text, value };
  } catch {
    return { ok: false, code: "invalid_json", message: "The body is not JSON in UTF-8." };
  }
}

/**
 * The bytes of a request's body: at most `maxBytes`, and all of them within `timeoutMs`. Stops
 * reading there, whatever content-length said, and does not begin where that already says too much.
 *
 * The time is real time, not the injected clock's: it bounds what a socket does. A client that
 * trickles its body, or never ends it, would hold an instance for as long as it likes.
 */
export async function readBody(
  request: Request,
  { maxBytes, timeoutMs }: BodyLimits,
): Promise<{ ok: true; bytes: Uint8Array<ArrayBuffer> } | UnreadableBody> {
  const tooLarge = {
    ok: false,
    code: "body_too_large",
    message: `The body has more than ${maxBytes} bytes.`,
  } as const;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) {
    await request.body?.cancel();
    return tooLarge;
  }
  if (!request.body) return { ok: true, bytes: new Uint8Array() };

  const reader = request.body.getReader();
  let late = false;
  // Ends the read that is waiting.
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (true) {
      const { done, value } = await reader.read();
      if (late) {
        const message = `The body took more than ${timeoutMs / 1000} s.`;
        return { ok: false, code: "body_too_slow", message };
      }
      if (done) return { ok: true, bytes: join(chunks, length) };
      length += value.byteLength;
      if (length > maxBytes) {
        reader.cancel().catch(() => {});
        return tooLarge;
      }
      chunks.push(value);
    }
  } catch {
    return { ok: false, code: "invalid_json", message: "The body broke off." };
  } finally {
    clearTimeout(timer);
  }
}

function join(chunks: Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
