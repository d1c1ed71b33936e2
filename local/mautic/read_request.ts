/** From a `Request` to what the routes work on: JSON, form and query bodies alike. */
import { parseQuery } from "./php.ts";
import type { ApiRequest } from "./types.ts";

export async function readRequest(raw: Request): Promise<ApiRequest> {
  const url = new URL(raw.url);
  const text = raw.method === "GET" ? "" : await raw.text();
  const request: ApiRequest = {
    method: raw.method,
    path: url.pathname,
    query: parseQuery(url.search.slice(1)),
    headers: raw.headers,
    body: null,
    malformed: false,
  };
  if (text === "") return request;
  const type = raw.headers.get("content-type") ?? "";
  if (type.includes("form-urlencoded")) {
    request.body = parseQuery(text);
  } else {
    try {
      request.body = JSON.parse(text);
    } catch {
      request.malformed = true;
    }
  }
  return request;
}
