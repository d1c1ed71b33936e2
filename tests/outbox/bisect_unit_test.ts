import assert from "node:assert/strict";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { silentLog } from "shared/runtime/log.ts";
import { type BatchRequest, bisect } from "../../supabase/functions/mautic-sync/outbound/bisect.ts";
import {
  isUnsettled,
  type Unsettled,
  type Work,
} from "../../supabase/functions/mautic-sync/outbound/item.ts";
import { prepare } from "../../supabase/functions/mautic-sync/outbound/prepare.ts";
import {
  type FailureContext,
  startRun,
} from "../../supabase/functions/mautic-sync/outbound/run.ts";
import { leasedItem, syncSettings } from "../support/items.ts";
import { fieldMap } from "../support/payload.ts";

const settings = syncSettings();

function context(): FailureContext {
  return { run: startRun(settings), settings, random: () => 0.5, log: silentLog };
}

function lead(name: string): Unsettled {
  const { work } = prepare(leasedItem(name), fieldMap, settings);
  assert.ok(work.state === "unsettled");
  return work;
}

const names = (works: Work[]) => works.map(({ item }) => item.lead_id).join("");
const results = (works: Work[]) =>
  works.map((work) => isUnsettled(work) ? "passed" : work.result.result).join(" ");

/** A Mautic that answers 500 to every request in which one of the `poisonous` is. */
function mautic(poisonous: string, scope: BatchRequest<Unsettled>["scope"]) {
  const requests: string[] = [];
  const request: BatchRequest<Unsettled> = {
    step: "save",
    scope,
    send: (some) => {
      requests.push(names(some));
      return some.some(({ item }) => poisonous.includes(item.lead_id))
        ? Promise.reject(new MauticError("server_failed", "500", { status: 500 }))
        : Promise.resolve(some);
    },
  };
  return { requests, request };
}

Deno.test("bisect() finds the guilty lead of a batch; the others get through", async () => {
  const { requests, request } = mautic("f", "request");
  const given = context();
  const works = await bisect([..."abcdefgh"].map(lead), given, request);
  assert.equal(names(works), "abcdefgh");
  assert.equal(results(works), "passed passed passed passed passed retry passed passed");
  assert.deepEqual(requests, ["abcdefgh", "abcd", "efgh", "ef", "e", "f", "gh"]);
  assert.equal(given.run.halt, undefined);
});

Deno.test("bisect() puts the rest of a request back after two leads that fail alone in a row", async () => {
  const { requests, request } = mautic("abcdefgh", "request");
  const given = context();
  const works = await bisect([..."abcdefgh"].map(lead), given, request);
  assert.deepEqual(requests, ["abcdefgh", "abcd", "ab", "a", "b"]);
  assert.equal(results(works).replaceAll("postponed", "-"), "retry retry - - - - - -");
  assert.equal(given.run.halt, undefined);
});

Deno.test("bisect() goes on past two guilty leads with one that passes in between", async () => {
  const { request } = mautic("aceg", "request");
  const works = await bisect([..."abcdefgh"].map(lead), context(), request);
  assert.equal(results(works), "retry passed retry passed retry passed retry passed");
});

Deno.test("bisect() halts the run where two batches in a row fail alone and nothing ever passed", async () => {
  const { request } = mautic("ab", "run");
  const given = context();
  assert.equal(results(await bisect([lead("a")], given, request)), "retry");
  assert.equal(given.run.halt, undefined);
  assert.equal(results(await bisect([lead("b")], given, request)), "retry");
  assert.deepEqual(given.run.halt, { code: "server_failed", delayMs: 0 });
  assert.equal(results(await bisect([lead("c")], given, request)), "postponed");
});

Deno.test("bisect() does not halt a run in which something has passed", async () => {
  const { request } = mautic("abcd", "run");
  const given = context();
  for (const name of "xabcd") await bisect([lead(name)], given, request);
  assert.equal(given.run.halt, undefined);
});
