import assert from "node:assert/strict";
import type { DataApi } from "../../local/supabase/data_api.ts";
import { type Gateway, startGateway } from "../../local/supabase/gateway.ts";
import { hostedDenoProgram } from "../../local/process/npm_binaries.ts";

const noDataApi: DataApi = {
  fetch: () => Promise.resolve(new Response("data api")),
  close: () => Promise.resolve(),
};

async function withGateway(
  body: (gateway: Gateway, url: string, log: string[]) => Promise<void>,
  deno?: string[],
  onLine: (line: string) => void = () => {},
): Promise<void> {
  const log: string[] = [];
  const gateway = startGateway({
    port: 0,
    dataApi: noDataApi,
    functionsFolder: new URL("./fixtures/functions/", import.meta.url),
    functionEnv: { GREETING: "hello" },
    log: (name, line) => {
      log.push(`${name}: ${line}`);
      onLine(line);
    },
    ...(deno === undefined ? {} : { deno }),
  });
  try {
    await body(gateway, `http://127.0.0.1:${gateway.port}`, log);
  } finally {
    await gateway.stop();
  }
}

Deno.test("the gateway hands a function its request as the platform does", async () => {
  Deno.env.set("MAUTIC_BASE_URL_OF_THE_DEVELOPER", "http://example.com");
  await withGateway(async (_gateway, url) => {
    const response = await fetch(`${url}/functions/v1/echo/a/b?c=d`, {
      method: "POST",
      body: "some text",
      headers: { "x-test": "tested" },
    });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get("x-answer"), "yes");
    const { method, path, body, header, hasEdgeRuntime, env } = await response.json();
    assert.deepEqual({ method, path, body, header, hasEdgeRuntime }, {
      method: "POST",
      path: "/echo/a/b?c=d",
      body: "some text",
      header: "tested",
      hasEdgeRuntime: true,
    });
    assert.equal(env.GREETING, "hello");
    assert.equal(env.MAUTIC_BASE_URL_OF_THE_DEVELOPER, undefined);
  });
});

Deno.test("the gateway serves a function that exports its handler", async () => {
  await withGateway(async (_gateway, url) => {
    const response = await fetch(`${url}/functions/v1/default-export`);
    assert.equal(await response.text(), "served by its default export");
  });
});

Deno.test("the gateway hands /rest/v1 to the Data API and answers 404 to what it does not know", async () => {
  await withGateway(async (_gateway, url) => {
    assert.equal(await (await fetch(`${url}/rest/v1/leads`)).text(), "data api");
    for (const path of ["/functions/v1/missing", "/nowhere"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 404);
      assert.equal((await response.json()).code, "NOT_FOUND");
    }
  });
});

Deno.test("a function that cannot start answers 503 and leaves its reason in the log", async () => {
  await withGateway(async (_gateway, url, log) => {
    const response = await fetch(`${url}/functions/v1/broken`);
    assert.equal(response.status, 503);
    assert.equal((await response.json()).code, "BOOT_ERROR");
    assert.match(log.join("\n"), /broken on purpose/);
  });
});

Deno.test("a function that dies answers 546, and the next request starts a new process", async () => {
  await withGateway(async (gateway, url) => {
    const died = await fetch(`${url}/functions/v1/echo/die`);
    assert.equal(died.status, 546);
    assert.equal((await died.json()).code, "WORKER_LIMIT");

    const first = await (await fetch(`${url}/functions/v1/echo`)).json();
    assert.equal(gateway.pid("echo"), first.pid);
    await gateway.kill("echo");
    assert.equal(gateway.pid("echo"), undefined);
    const second = await (await fetch(`${url}/functions/v1/echo`)).json();
    assert.notEqual(second.pid, first.pid);
  });
});

Deno.test("stop() ends a function that never answers", async () => {
  const hangs = Promise.withResolvers<void>();
  const onLine = (line: string) => line === "hanging" && hangs.resolve();
  await withGateway(
    async (gateway, url) => {
      const hanging = fetch(`${url}/functions/v1/echo/hang`);
      await hangs.promise;
      await gateway.stop();
      const response = await hanging;
      assert.equal(response.status, 546);
      await response.body?.cancel();
    },
    undefined,
    onLine,
  );
});

Deno.test("the gateway can run functions with the hosted runtime's Deno", async () => {
  await withGateway(async (_gateway, url) => {
    const response = await fetch(`${url}/functions/v1/echo`);
    assert.match((await response.json()).deno, /^2\.1\./);
  }, [await hostedDenoProgram()]);
});
