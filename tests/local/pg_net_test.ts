import assert from "node:assert/strict";
import { startPgNet } from "../../local/supabase/stand_ins/pg_net_worker.ts";
import { createTestDatabase, type TestDatabase } from "../../dev/test_database.ts";

type Received = { method: string; path: string; headers: Headers; body: string };

/** A server that keeps what it gets, and lets a test wait for the n-th request. */
function receiver(answer: (request: Request) => Response | Promise<Response>) {
  const received: Received[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (r) => {
    const { pathname, search } = new URL(r.url);
    received.push({
      method: r.method,
      path: pathname + search,
      headers: r.headers,
      body: await r.text(),
    });
    waiting.filter(({ count }) => received.length >= count).forEach(({ resolve }) => resolve());
    return await answer(r);
  });
  return {
    received,
    url: `http://127.0.0.1:${server.addr.port}`,
    requests: (count: number) =>
      new Promise<void>((resolve) => {
        if (received.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function withWorker(
  answer: (request: Request) => Response | Promise<Response>,
  body: (
    database: TestDatabase,
    worker: Awaited<ReturnType<typeof startPgNet>>,
    target: ReturnType<typeof receiver>,
  ) => Promise<void>,
): Promise<void> {
  await using database = await createTestDatabase();
  await using target = receiver(answer);
  const worker = await startPgNet(database.adminUrl);
  try {
    await body(database, worker, target);
  } finally {
    await worker.stop();
  }
}

/** Waits for the response row of a request, as an application polls for it. */
async function responseOf({ sql }: TestDatabase, id: string) {
  for (;;) {
    const [row] = await sql`select * from net._http_response where id = ${id}`;
    if (row !== undefined) return row;
  }
}

const ok = () => Response.json({ fine: true });

Deno.test("net.http_post() sends what it was given and keeps the response", async () => {
  await withWorker(ok, async (database, _worker, target) => {
    const [row] = await database.sql`
      select net.http_post(
        url := ${target.url + "/path"},
        body := '{"ring": true}',
        params := '{"a b": "c&d"}',
        headers := '{"apikey": "key"}'
      ) as id
    `;
    const response = await responseOf(database, row?.id);
    assert.equal(response.status_code, 200);
    assert.equal(response.content, '{"fine":true}');
    assert.equal(response.content_type, "application/json");
    assert.equal(response.timed_out, false);
    const [request] = target.received;
    assert.equal(request?.method, "POST");
    assert.equal(request?.path, "/path?a%20b=c%26d");
    assert.deepEqual(JSON.parse(request?.body ?? ""), { ring: true });
    assert.equal(request?.headers.get("apikey"), "key");
    assert.equal(request?.headers.get("content-type"), "application/json");
  });
});

Deno.test("a request of a transaction that is rolled back is never sent", async () => {
  await withWorker(ok, async (database, _worker, target) => {
    await database.sql.begin(async (transaction) => {
      await transaction`select net.http_post(${target.url + "/rolled-back"})`;
      throw new Error("rolled back");
    }).catch(() => {});
    await database.sql`select net.http_post(${target.url + "/committed"})`;
    await target.requests(1);
    assert.deepEqual(target.received.map(({ path }) => path), ["/committed"]);
  });
});

Deno.test("an idle worker is woken by a commit, before its next tick", async () => {
  await withWorker(ok, async (database, _worker, target) => {
    const begun = performance.now();
    await database.sql`select net.http_post(${target.url})`;
    await target.requests(1);
    assert.ok(performance.now() - begun < 800);
  });
});

Deno.test("a request that takes too long is given up and noted, and never repeated", async () => {
  const release = Promise.withResolvers<Response>();
  await withWorker(() => release.promise, async (database, _worker, target) => {
    const [row] = await database.sql`
      select net.http_post(${target.url}, timeout_milliseconds := 50) as id
    `;
    const response = await responseOf(database, row?.id);
    assert.equal(response.timed_out, true);
    assert.equal(response.status_code, null);
    assert.match(response.error_msg, /Timeout/);
    assert.equal(target.received.length, 1);
    release.resolve(new Response());
  });
});

Deno.test("a refused connection is noted as an error", async () => {
  await withWorker(ok, async (database) => {
    const [row] = await database.sql`select net.http_post('http://127.0.0.1:9') as id`;
    const response = await responseOf(database, row?.id);
    assert.match(response.error_msg, /connect/);
    assert.equal(response.timed_out, false);
  });
});

Deno.test("sendBatchTwice() lets the whole batch arrive again", async () => {
  await withWorker(ok, async (database, worker, target) => {
    worker.sendBatchTwice();
    await database.sql`
      select net.http_post(${target.url + "/"} || n) from generate_series(1, 3) as n
    `;
    await target.requests(6);
    const paths = target.received.map(({ path }) => path).sort();
    assert.deepEqual(paths, ["/1", "/1", "/2", "/2", "/3", "/3"]);
  });
});

Deno.test("loseQueue() forgets what was not sent yet", async () => {
  await withWorker(ok, async (database, worker, target) => {
    worker.pause();
    await database.sql`select net.http_post(${target.url + "/lost"})`;
    await worker.loseQueue();
    await database.sql`select net.http_post(${target.url + "/sent"})`;
    worker.resume();
    await target.requests(1);
    assert.deepEqual(target.received.map(({ path }) => path), ["/sent"]);
  });
});

Deno.test("net.http_post() refuses another content type, as the real one", async () => {
  await using database = await createTestDatabase();
  await assert.rejects(
    async () =>
      await database.sql`
        select net.http_post('http://127.0.0.1', headers := '{"content-type": "text/plain"}')
      `,
    /Content-Type header must be "application\/json"/,
  );
});
