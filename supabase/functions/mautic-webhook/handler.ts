import { readDelivery } from "shared/consent/read_delivery.ts";
import { createCall, DatabaseError } from "shared/database/call.ts";
import { type Inbox, inboxCalls, inboxEvents, type Received } from "shared/database/inbox.ts";
import { type Answers, type Failure, notConfigured, startAnswers } from "shared/http/answer.ts";
import { parseJson, readBody } from "shared/http/body.ts";
import type { Clock } from "shared/runtime/clock.ts";
import type { Log } from "shared/runtime/log.ts";
import { tally } from "shared/runtime/tally.ts";
import type { Env } from "shared/settings/reader.ts";
import { demo } from "./demo.ts";
import { resultsOf } from "./results.ts";
import { originOf, readConfiguration } from "./settings.ts";
import { readProof } from "./signature.ts";

/** What the function is given from outside. */
export interface Dependencies {
  env: Env;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
}

/** Mautic waits for our answer, and often our own API call waits for Mautic. */
const databaseTimeoutMs = 4_000;
const retryDelayMs = 150;
const bodyTimeoutMs = 10_000;

/**
 * The HTTP side of mautic-webhook: is it from our Mautic, what does it say, stored and applied in
 * one call to the database, and the answer.
 *
 * Mautic 5 never sends an event again and switches a webhook off that has no success, so all that
 * is authentic JSON is answered with 200. Not 404, 410 or a redirect, ever. What cannot be stored
 * is answered with 503: Mautic 7 sends it again, and for older ones the reconciliation heals it; a
 * 200 would claim that we have it.
 */
export function createHandler(dependencies: Dependencies): (request: Request) => Promise<Response> {
  const { env, clock, log } = dependencies;
  const configuration = readConfiguration(env);
  const inbox = configuration.mode === "live"
    ? inboxCalls(createCall({
      url: configuration.supabase.url,
      secretKey: configuration.supabase.secretKey,
      fetch: dependencies.fetch,
      timeoutMs: databaseTimeoutMs,
    }))
    : null;

  return async (request) => {
    const answers = startAnswers(request, { now: clock.now, newId: () => crypto.randomUUID() });
    const requestLog = log.with({ correlationId: answers.correlationId });
    try {
      return await handle(request, answers, requestLog);
    } catch (error) {
      requestLog.error("webhook_failed", { error });
      return error instanceof DatabaseError
        ? answers.fail("database_unavailable", "The delivery could not be stored.")
        : answers.fail("internal", "Something went wrong that should not.");
    }
  };

  async function handle(request: Request, answers: Answers, requestLog: Log): Promise<Response> {
    const refused = (...failure: Failure) => {
      requestLog.warn("webhook_refused", { code: failure[0], reason: failure[1] });
      return answers.fail(...failure);
    };
    const refuse = async (...failure: Failure) => {
      // Once its reading has begun, the body is in the reader's hands.
      if (!request.bodyUsed) await request.body?.cancel();
      return refused(...failure);
    };
    if (request.method !== "POST") {
      return await refuse("method_not_allowed", `${request.method} is not served here.`, {
        headers: { Allow: "POST" },
      });
    }
    if (configuration.mode === "invalid") {
      return await refuse(...notConfigured(configuration.problems));
    }
    const { webhook } = configuration;
    const needsNoProof = configuration.mode === "demo" && !webhook.secret && !webhook.signingKey;
    const proof = needsNoProof ? { state: "accepted" as const } : await readProof(request, webhook);
    if (proof.state === "refused") return await refuse("proof_refused", proof.reason);

    const body = await readBody(request, { maxBytes: webhook.maxBytes, timeoutMs: bodyTimeoutMs });
    if (!body.ok) return refused(body.code, body.message);
    if (proof.state === "signed" && !await proof.verify(body.bytes)) {
      return await refuse("proof_refused", "The signature does not fit the body.");
    }
    const parsed = parseJson(body.bytes, { allowsMark: false });
    if (!parsed.ok) return await refuse(parsed.code, parsed.message);

    const reading = readDelivery(parsed.value);
    if (configuration.mode === "demo" || !inbox) return demo(reading, answers, requestLog);

    const received = await receive(inbox, {
      body: parsed.text,
      events: inboxEvents(reading),
      origin: configuration.origin ?? originOf(request.headers.get("X-Origin-Base-URL")),
      isTest: reading.isTest,
    }, answers.correlationId);
    const data = resultsOf(reading, received);
    requestLog.info("webhook_received", {
      deliveryId: received.delivery_id,
      bytes: body.bytes.byteLength,
      duplicate: received.duplicate,
      isTest: reading.isTest,
      processed: data.eventsProcessed,
      failed: data.eventsFailed,
      outcomes: tally(received.results.map(({ outcome }) => outcome)),
      ignored: reading.ignored,
      unknown: reading.unknown,
    });
    if (received.error) requestLog.error("events_not_stored", { reason: received.error });
    return answers.ok(data);
  }

  /** Once more where the answer was lost: a delivery is stored once for each content. */
  async function receive(
    inbox: Inbox,
    delivery: Parameters<Inbox["receiveDelivery"]>[0],
    correlationId: string,
  ): Promise<Received> {
    try {
      return await inbox.receiveDelivery(delivery, correlationId);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      await clock.sleep(retryDelayMs);
      return await inbox.receiveDelivery(delivery, correlationId);
    }
  }
}
