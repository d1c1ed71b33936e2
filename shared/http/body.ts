export type RequestBody =
  | { ok: true; bytes: Uint8Array<ArrayBuffer> }
  | { ok: false; code: "body_too_large" | "body_too_slow" | "invalid_json"; message: string };

/**
 * The bytes of a request's body: at most `maxBytes`, and all of them within `timeoutMs`. Stops
 * reading there, whatever content-length said, and does not begin where that already says too much.
 *
 * The time is real time, not the injected clock's: it bounds what a socket does. A client that
 * trickles its body, or never ends it, would hold an instance for as long as it likes.
 */
export async function readBody(
  request: Request,
  { maxBytes, timeoutMs }: { maxBytes: number; timeoutMs: number },
): Promise<RequestBody> {
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
