export type RawBody = { ok: true; bytes: Uint8Array<ArrayBuffer> } | { ok: false };

/**
 * The bytes of a body of at most `maxBytes`; not ok when there are more. Stops reading there,
 * whatever content-length said, and does not begin where that already says too much.
 */
export async function readRawBody(request: Request, maxBytes: number): Promise<RawBody> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maxBytes) {
    await request.body?.cancel();
    return { ok: false };
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (length > maxBytes) return { ok: false };
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return { ok: true, bytes };
}
