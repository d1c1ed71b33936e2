import assert from "node:assert/strict";
import { connect as connectSocket, createServer } from "node:net";
import { startPostgres } from "../../local/postgres/postgres.ts";
import { connect } from "../../cli/connect.ts";

/** Leads to a port of this machine; nobody is there any more from when `text` is sent through. */
async function goneAt(text: string, port: number) {
  const line = createServer((client) => {
    const upstream = connectSocket(port, "127.0.0.1");
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.on("data", (chunk) => {
      if (!chunk.includes(text)) return void upstream.write(chunk);
      line.close();
      client.destroy();
    });
    upstream.on("data", (chunk) => client.write(chunk));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  const address = line.address();
  assert.ok(address !== null && typeof address !== "string");
  return address.port;
}

Deno.test("a server that goes down while postgres.js asks for types costs the statement, not the process", async () => {
  const server = await startPostgres();
  const port = await goneAt("b.typarray", server.port);
  // While postgres.js connects again, nothing of it keeps Deno waiting.
  const wait = setInterval(() => {}, 1_000);
  const stray: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    if (!event.defaultPrevented) stray.push(event.reason);
    event.preventDefault();
  };
  try {
    const url = new URL(server.url("postgres", "supabase_admin"));
    url.port = String(port);
    const sql = connect(url.href, { max: 1 });
    globalThis.addEventListener("unhandledrejection", note);
    await assert.rejects(async () => await sql`select 1`, { code: /ECONNREFUSED|ECONNRESET/ });
    await sql.end({ timeout: 0 });
    // Unhandled rejections are told of once all that is ready has run.
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(stray, []);
  } finally {
    globalThis.removeEventListener("unhandledrejection", note);
    clearInterval(wait);
    await server.stop();
  }
});
