import assert from "node:assert/strict";
import type { Clock } from "shared/runtime/clock.ts";
import { createLog, type Log, silentLog } from "shared/runtime/log.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { createSeal } from "shared/mautic/token/seal.ts";
import { createTokenSource, type TokenStore } from "shared/mautic/token/cache.ts";
import { answer, refusingUrl, retrySettings, serve, testClock } from "./support.ts";

/** The rules of migration "worker_oauth_token", in memory. */
function memoryStore(clock: Clock) {
  let sealed: string | undefined;
  let storedAt = 0;
  let expiresAt = 0;
  let hold: { holder: string; until: number } | undefined;
  const calls: string[] = [];
  const store: TokenStore = {
    acquire(_origin, _clientId, holder, holdMs) {
      calls.push("acquire");
      const marginMs = Math.min(60_000, (expiresAt - storedAt) / 2);
      if (sealed !== undefined && clock.now() < expiresAt - marginMs) {
        const expires_at = new Date(expiresAt).toISOString();
        return Promise.resolve({ state: "cached", sealed, expires_at });
      }
      if (hold && hold.holder !== holder && hold.until > clock.now()) {
        return Promise.resolve({ state: "wait", retry_ms: 100 });
      }
      hold = { holder, until: clock.now() + holdMs };
      return Promise.resolve({ state: "refresh" });
    },
    store(_origin, _clientId, holder, text, until) {
      calls.push("store");
      if (hold?.holder === holder) {
        [sealed, storedAt, expiresAt, hold] = [text, clock.now(), Date.parse(until), undefined];
      }
      return Promise.resolve();
    },
    drop(_origin, _clientId, text) {
      calls.push("drop");
      if (sealed === text) sealed = undefined;
      return Promise.resolve();
    },
    release(_origin, _clientId, holder) {
      calls.push("release");
      if (hold?.holder === holder) hold = undefined;
      return Promise.resolve();
    },
  };
  return {
    store,
    calls,
    get sealed() {
      return sealed;
    },
    put(text: string, until: number) {
      [sealed, storedAt, expiresAt] = [text, clock.now(), until];
    },
    holdBy(holder: string, until: number) {
      hold = { holder, until };
    },
  };
}

/** A token endpoint that counts: token-1, token-2 … */
function tokenEndpoint(expiresIn = 3_600) {
  return serve((index) =>
    Response.json({
      access_token: `token-${index + 1}`,
      expires_in: expiresIn,
      token_type: "bearer",
      scope: null,
    })
  );
}

function source(
  origin: string,
  store: TokenStore,
  clock: Clock,
  change: { secret?: string; log?: Log } = {},
) {
  return createTokenSource({
    origin,
    clientId: "1_client",
    clientSecret: change.secret ?? "s3cret",
    store,
    holder: crypto.randomUUID(),
    fetch,
    clock,
    random: () => 0.5,
    requestTimeoutMs: 30_000,
    retry: retrySettings,
    log: change.log ?? silentLog,
  });
}

async function failure(call: Promise<unknown>): Promise<MauticError> {
  const error = await call.then(() => undefined, (error) => error);
  assert.ok(error instanceof MauticError, String(error));
  return error;
}

Deno.test("get() asks by form, once, and then answers from memory", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const { store, calls } = memoryStore(clock);
  const tokens = source(server.url, store, clock);
  assert.equal(tokens.lastFrom(), undefined);
  assert.equal(await tokens.get(), "token-1");
  assert.equal(tokens.lastFrom(), "mautic");
  assert.equal(await tokens.get(), "token-1");
  assert.equal(tokens.lastFrom(), "memory");
  assert.deepEqual(calls, ["acquire", "store"]);
  const [request] = server.requests;
  assert.equal(`${request?.method} ${request?.url.pathname}`, "POST /oauth/v2/token");
  assert.match(request?.headers.get("Content-Type") ?? "", /^application\/x-www-form-urlencoded/);
  assert.equal(request?.headers.get("Authorization"), null);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
    grant_type: "client_credentials",
    client_id: "1_client",
    client_secret: "s3cret",
  });
});

Deno.test("another process gets the sealed token from the cache", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const memory = memoryStore(clock);
  await source(server.url, memory.store, clock).get();
  assert.ok(memory.sealed && !memory.sealed.includes("token"));
  const other = source(server.url, memory.store, clock);
  assert.equal(await other.get(), "token-1");
  assert.equal(other.lastFrom(), "cache");
  assert.equal(server.requests.length, 1);
});

Deno.test("many processes and calls at once cost one request to Mautic", async () => {
  const release = Promise.withResolvers<void>();
  await using server = serve(async () => {
    await release.promise;
    return answer("oauth-token-form");
  });
  // Here pauses have to let the other processes get on.
  const clock: Clock = {
    ...testClock(),
    async sleep(_ms, signal) {
      if (signal) return await testClock().sleep(0, signal);
      release.resolve();
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
  const { store } = memoryStore(clock);
  const sources = Array.from({ length: 20 }, () => source(server.url, store, clock));
  const tokens = await Promise.all(sources.flatMap((each) => [each.get(), each.get(), each.get()]));
  assert.deepEqual([...new Set(tokens)], ["REDACTED-ACCESS-TOKEN"]);
  assert.equal(server.requests.length, 1);
});

Deno.test("a token is replaced 60 s before its end", async () => {
  await using server = tokenEndpoint(3_600);
  const clock = testClock();
  const { store } = memoryStore(clock);
  const tokens = source(server.url, store, clock);
  await tokens.get();
  await clock.sleep(3_539_000);
  assert.equal(await tokens.get(), "token-1");
  await clock.sleep(1_000);
  assert.equal(await tokens.get(), "token-2");
});

Deno.test("lifetimes shorter than the margin are used to their half; senseless ones once", async () => {
  for (const [expiresIn, requests] of [[30, 2], [0, 3], [-5, 3]] as const) {
    await using server = tokenEndpoint(expiresIn);
    const clock = testClock();
    const { store } = memoryStore(clock);
    const tokens = source(server.url, store, clock);
    await tokens.get();
    await clock.sleep(14_000);
    await tokens.get();
    await clock.sleep(2_000);
    await tokens.get();
    assert.equal(server.requests.length, requests);
  }
});

Deno.test("a garbled token, or one sealed under another secret, counts as absent", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const memory = memoryStore(clock);
  await source(server.url, memory.store, clock, { secret: "old" }).get();
  assert.equal(await source(server.url, memory.store, clock, { secret: "new" }).get(), "token-2");
  memory.put("v1.garbled", clock.now() + 3_600_000);
  assert.equal(await source(server.url, memory.store, clock).get(), "token-3");
});

Deno.test("drop() makes way for a new token, here and in the cache", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const { store } = memoryStore(clock);
  const tokens = source(server.url, store, clock);
  const refused = await tokens.get();
  const [, fresh] = await Promise.all([tokens.drop(refused), tokens.get()]);
  assert.equal(fresh, "token-2");
  await tokens.drop(refused);
  assert.equal(await tokens.get(), "token-2");
  assert.equal(server.requests.length, 2);
});

Deno.test("drop() leaves alone what another process has put into the cache since", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const { store } = memoryStore(clock);
  const [one, two] = [source(server.url, store, clock), source(server.url, store, clock)];
  await one.get();
  await two.get();
  await one.drop("token-1");
  assert.equal(await one.get(), "token-2");
  await two.drop("token-1");
  assert.equal(await two.get(), "token-2");
  assert.equal(server.requests.length, 2);
});

Deno.test("wrong credentials end at once, with the names of the variables", async () => {
  await using server = serve(() => answer("oauth-token-bad-secret"));
  const clock = testClock();
  const { store, calls } = memoryStore(clock);
  const error = await failure(source(server.url, store, clock).get());
  assert.equal(error.code, "oauth_refused");
  assert.ok(!error.retryable);
  assert.match(error.message, /MAUTIC_CLIENT_ID.*MAUTIC_CLIENT_SECRET/);
  assert.doesNotMatch(error.message, /s3cret/);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(calls, ["acquire", "release"]);
});

Deno.test("a disabled API and a redirect are told apart from wrong credentials", async () => {
  const clock = testClock();
  for (
    const [reply, code] of [
      [() => answer("api-disabled-token"), "api_disabled"],
      [() => Response.redirect("https://other.test/oauth/v2/token", 301), "bad_answer"],
      [() => new Response("<html>", { headers: { "Content-Type": "text/html" } }), "bad_answer"],
      [() => Response.json({ token: "x" }), "bad_answer"],
    ] as const
  ) {
    await using server = serve(reply);
    const error = await failure(source(server.url, memoryStore(clock).store, clock).get());
    assert.equal(error.code, code);
    assert.equal(server.requests.length, 1);
  }
});

Deno.test("passing trouble at the token endpoint is tried again, releasing the hold in between", async () => {
  await using server = serve((index) =>
    index < 2 ? new Response(null, { status: 502 }) : answer("oauth-token-form")
  );
  const clock = testClock();
  const { store, calls } = memoryStore(clock);
  assert.equal(await source(server.url, store, clock).get(), "REDACTED-ACCESS-TOKEN");
  assert.deepEqual(clock.pauses, [1_000, 2_000]);
  assert.deepEqual(calls, ["acquire", "release", "acquire", "release", "acquire", "store"]);
});

Deno.test("an unreachable Mautic is unavailable", async () => {
  const clock = testClock();
  const error = await failure(source(refusingUrl(), memoryStore(clock).store, clock).get());
  assert.equal(error.code, "unavailable");
  assert.ok(error.retryable && !error.ambiguous);
});

Deno.test("a process that died with the hold is waited for and then replaced", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const memory = memoryStore(clock);
  memory.holdBy("dead", clock.now() + 15_000);
  assert.equal(await source(server.url, memory.store, clock).get(), "token-1");
  assert.ok(clock.pauses.reduce((sum, each) => sum + each, 0) >= 15_000);
});

Deno.test("waiting for others has an end", async () => {
  const clock = testClock();
  const { store } = memoryStore(clock);
  const stuck = {
    ...store,
    acquire: () => Promise.resolve({ state: "wait", retry_ms: 50 } as const),
  };
  const error = await failure(source("http://unused.test", stuck, clock).get());
  assert.equal(error.code, "unavailable");
  assert.ok(clock.pauses.reduce((sum, each) => sum + each, 0) < 60_000);
});

Deno.test("a token that cannot be cached is used all the same", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const { store } = memoryStore(clock);
  const broken = { ...store, store: () => Promise.reject(new Error("database down")) };
  assert.equal(await source(server.url, broken, clock).get(), "token-1");
});

Deno.test("what is logged of a store that fails holds no token, plain or sealed", async () => {
  const plain = "a-token-that-nobody-may-see";
  const secret = "a-client-secret";
  await using server = serve(() => Response.json({ access_token: plain, expires_in: 3_600 }));
  const lines: string[] = [];
  const log = createLog({ name: "test", write: (line) => lines.push(line), now: () => 0 });
  const kept: string[] = [];
  // 250: where a long message is cut, the beginning of what is sealed is left.
  for (const before of [0, 250]) {
    const { store } = memoryStore(testClock());
    const failing: TokenStore = {
      ...store,
      store(_origin, _clientId, _holder, sealed) {
        kept.push(sealed);
        return Promise.reject(new Error(`${"x".repeat(before)} Refused: ${sealed}`));
      },
    };
    await source(server.url, failing, testClock(), { secret, log }).get();
  }
  const said = lines.join("\n");
  assert.equal(said.match(/mautic_token_not_cached.*?Refused/g)?.length, 2);
  assert.equal(kept.length, 2);
  for (const text of [plain, secret, ...kept.map((sealed) => sealed.slice(3, 15))]) {
    assert.ok(!said.includes(text), text);
  }
});

Deno.test("an error of the store goes out, and the next call tries anew", async () => {
  await using server = tokenEndpoint();
  const clock = testClock();
  const { store } = memoryStore(clock);
  let failures = 1;
  const flaky: TokenStore = {
    ...store,
    acquire: (...given) =>
      failures-- > 0 ? Promise.reject(new Error("down")) : store.acquire(...given),
  };
  const tokens = source(server.url, flaky, clock);
  await assert.rejects(tokens.get(), /down/);
  assert.equal(await tokens.get(), "token-1");
});

Deno.test("a seal is bound to secret, origin and client, and never repeats itself", async () => {
  const about = { clientSecret: "a", origin: "https://m.test", clientId: "1_c" };
  const { seal, unseal } = createSeal(about);
  const sealed = await seal("tokén");
  assert.match(sealed, /^v1\.[A-Za-z0-9+/]+=*$/);
  assert.equal(await unseal(sealed), "tokén");
  assert.notEqual(await seal("tokén"), sealed);
  for (const change of [{ clientSecret: "b" }, { origin: "https://n.test" }, { clientId: "2" }]) {
    assert.equal(await createSeal({ ...about, ...change }).unseal(sealed), undefined);
  }
  const flipped = `${sealed.slice(0, -6)}${sealed.at(-6) === "A" ? "B" : "A"}${sealed.slice(-5)}`;
  for (
    const bad of ["", "v1.", "v1.%%", "v2" + sealed.slice(2), `${sealed}.x`, flipped, "v1.AAAA"]
  ) {
    assert.equal(await unseal(bad), undefined);
  }
});
