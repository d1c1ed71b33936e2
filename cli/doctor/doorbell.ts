/** A real round trip: the database rings, pg_net calls, the function answers. */
import type { Sql } from "postgres";
import { z } from "zod";
import type { Clock } from "shared/runtime/clock.ts";
import { fail, type Finding, pass, warn } from "./finding.ts";
import { functionAnswerOf } from "./probe.ts";

export type Ring =
  | { kind: "not_rung"; why: string }
  | { kind: "no_response" }
  | { kind: "failed"; reason: string }
  | { kind: "answered"; status: number; json: unknown };

const rung = z.array(z.object({ result: z.string() })).length(1);
const queued = z.array(z.object({ id: z.coerce.string() }));
const response = z.array(z.object({
  status_code: z.number().nullable(),
  content: z.string().nullable(),
  timed_out: z.boolean().nullable(),
  error_msg: z.string().nullable(),
}));

/** pg_net waits five seconds for an answer and looks once a second. */
const patienceMs = 12_000;

/** Rings as a changed lead does and waits for the response. Errors: what postgres.js raises. */
export async function ringAndWait(sql: Sql, clock: Clock): Promise<Ring> {
  const id = `doctor-${crypto.randomUUID()}`;
  // In one transaction: pg_net's worker takes the request only once it is committed.
  const { result, requestId } = await sql.begin(async (tx) => {
    const [ring] = rung.parse(await tx`select mautic.ring(${id}) as result`);
    const [request] = queued.parse(
      await tx`select id from net.http_request_queue where headers ->> 'X-Correlation-ID' = ${id}`,
    );
    return { result: ring?.result ?? "", requestId: request?.id };
  });
  if (requestId === undefined) return { kind: "not_rung", why: result };
  const begun = clock.now();
  while (clock.now() - begun < patienceMs) {
    const [row] = response.parse(
      await sql`
        select status_code, content, timed_out, error_msg from net._http_response
        where id = ${requestId}`,
    );
    if (row?.status_code) {
      return { kind: "answered", status: row.status_code, json: parse(row.content) };
    }
    if (row) return { kind: "failed", reason: row.error_msg ?? "no answer" };
    await clock.sleep(100);
  }
  return { kind: "no_response" };
}

const notRung: Record<string, string> = {
  no_pg_net: "pg_net is not installed",
  no_secret: "the Vault secrets mautic_sync_url and mautic_sync_key are missing",
  bad_url: "the Vault secret mautic_sync_url is no address",
};

/** What came of the ring. */
export function judgeRing(ring: Ring): Finding {
  const check = "doorbell.round_trip";
  switch (ring.kind) {
    case "not_rung":
      return fail(
        check,
        `nothing was rung: ${notRung[ring.why] ?? ring.why}`,
        "deno task setup; see also database.pg_net.",
      );
    case "no_response":
      return fail(
        check,
        "pg_net did not send the request within 12 seconds",
        "select net.worker_restart(); and see that nothing long waits in net.http_request_queue.",
      );
    case "failed":
      return fail(
        check,
        `the database does not reach mautic_sync_url: ${ring.reason}`,
        "The address must be right as seen from the database: in Docker http://kong:8000/…, not 127.0.0.1.",
      );
    case "answered":
      break;
  }
  const answer = functionAnswerOf(ring.json);
  if (ring.status === 202 && answer?.ok) {
    return answer.data["demo"] === true
      ? warn(
        check,
        "mautic-sync answered, in demo mode: the queue waits",
        "Set the MAUTIC_* secrets.",
      )
      : pass(check, "the bell reaches mautic-sync");
  }
  if (ring.status === 401) {
    return fail(
      check,
      "mautic-sync turns the bell away (401): the key in Vault is not accepted",
      "deno task setup --replace",
    );
  }
  if (ring.status === 404) {
    return fail(
      check,
      "there is no function at mautic_sync_url (404)",
      "npx supabase functions deploy mautic-sync; or deno task setup --replace",
    );
  }
  const why = answer && !answer.ok
    ? `${answer.error.code}: ${answer.error.message}`
    : "no answer of ours";
  return fail(
    check,
    `mautic-sync answered ${ring.status} (${why})`,
    "Look into the function's log.",
  );
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
