/**
 * The worker behind the stand-in of pg_net (pg_net.sql), with the real one's habits,
 * read from supabase/pg_net 0.19 (src/worker.c, src/core.c):
 *
 * - it takes up to 200 requests, sends them all at once, and waits for the slowest;
 * - taking, sending and writing the responses are one transaction there. A worker that fails on the
 *   way rolls it back, and the whole batch is sent again; nothing else is ever retried. Here the
 *   last statement does the taking: no transaction is open while requests are on their way;
 * - after a batch it rests for a second; when idle, a commit wakes it at once.
 */
import type { Sql } from "postgres";
import { z } from "zod";
import { interruptibleSleep } from "../../process/sleep.ts";
import { connect } from "../../../cli/connect.ts";

export type PgNetWorker = {
  /** Takes nothing more until `resume()`; a batch on its way is finished. */
  pause(): void;
  resume(): void;
  /** Empties the queue and the responses, as a crash of any backend empties unlogged tables. */
  loseQueue(): Promise<void>;
  /** Lets the worker fail after it has sent its next batch, so that the batch is sent again. */
  sendBatchTwice(): void;
  stop(): Promise<void>;
};

const batchSize = 200;
const restMs = 1000;
const responseLifetime = "6 hours";

const requestSchema = z.object({
  id: z.string(),
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()).nullable(),
  body: z.instanceof(Uint8Array).nullable(),
  timeout_milliseconds: z.int(),
});
type QueuedRequest = z.infer<typeof requestSchema>;

/** A row of net._http_response. */
type ResponseRow = {
  id: string;
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean | null;
  error_msg: string | null;
};

/**
 * Starts the worker of a database.
 *
 * @param databaseUrl connection string of the superuser
 */
export async function startPgNet(databaseUrl: string): Promise<PgNetWorker> {
  const sql = connect(databaseUrl, { max: 2 });
  const state = { paused: false, stopped: false, failNext: false };
  const nap = interruptibleSleep();
  await sql.listen("pg_net", nap.wake);

  const work = async () => {
    while (!state.stopped) {
      const sent = state.paused ? 0 : await sendBatch(sql, state);
      // A wake-up does not cut the rest after a batch short: it is noticed afterwards.
      await (sent > 0 ? nap.rest(restMs) : nap.sleep(restMs));
    }
  };
  const working = work();
  return {
    pause: () => {
      state.paused = true;
    },
    resume: () => {
      state.paused = false;
      nap.wake();
    },
    loseQueue: async () => {
      await sql`truncate net.http_request_queue, net._http_response`;
    },
    sendBatchTwice: () => {
      state.failNext = true;
    },
    stop: async () => {
      state.stopped = true;
      nap.end();
      await sql.end({ timeout: 1 });
      await working;
    },
  };
}

/** How many requests were sent; 0 too when the extension or the server is not there (any more). */
async function sendBatch(
  sql: Sql,
  state: { failNext: boolean; paused: boolean },
): Promise<number> {
  try {
    const requests = await nextRequests(sql);
    // Paused meanwhile: they may have been committed after that, and stay in the queue.
    if (requests.length === 0 || state.paused) return 0;
    const responses = await Promise.all(requests.map(send));
    if (state.failNext) state.failNext = false;
    else await settle(sql, responses);
    return requests.length;
  } catch {
    // The real worker logs the error, ends, and is started anew.
    return 0;
  }
}

async function nextRequests(sql: Sql): Promise<QueuedRequest[]> {
  await sql`
    delete from net._http_response
    where created < now() - ${responseLifetime}::interval
  `;
  const rows = await sql`
    select id, method::text, url, headers, body, timeout_milliseconds
    from net.http_request_queue
    order by id
    limit ${batchSize}
  `;
  return z.array(requestSchema).parse(rows.map((row) => ({ ...row })));
}

/**
 * Takes the requests from the queue and writes their responses, in one statement. A request that is
 * no longer in the queue, after a crash of Postgres, leaves no response either.
 */
async function settle(sql: Sql, responses: ResponseRow[]): Promise<void> {
  await sql`
    with response as (
      select * from jsonb_to_recordset(${JSON.stringify(responses)}::text::jsonb) as response (
        id bigint, status_code int, content_type text, headers jsonb, content text,
        timed_out bool, error_msg text
      )
    ), taken as (
      delete from net.http_request_queue as queue
      using response
      where queue.id = response.id
      returning queue.id
    )
    insert into net._http_response
      (id, status_code, content_type, headers, content, timed_out, error_msg)
    select id, status_code, content_type, headers, content, timed_out, error_msg
    from response
    where id in (select id from taken)
  `;
}

async function send(request: QueuedRequest): Promise<ResponseRow> {
  const nothing = { status_code: null, content_type: null, headers: null, content: null };
  try {
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: { ...request.headers, "user-agent": "pg_net/0.19.5" },
      body: request.body === null ? null : new Uint8Array(request.body),
      signal: AbortSignal.timeout(request.timeout_milliseconds),
    });
    const content = await response.text();
    return {
      id: request.id,
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      content: content === "" ? null : content,
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    const message = timedOut
      ? `Timeout of ${request.timeout_milliseconds} ms reached`
      : "Couldn't connect to server";
    return { id: request.id, ...nothing, timed_out: timedOut, error_msg: message };
  }
}
