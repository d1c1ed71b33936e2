import fc from "fast-check";
import assert from "node:assert/strict";
import { createLog, type LogValues } from "shared/runtime/log.ts";

function collect() {
  const lines: string[] = [];
  const log = createLog({
    name: "mautic-sync",
    write: (line) => lines.push(line),
    now: () => Date.UTC(2026, 0, 1),
  });
  return { lines, log };
}

Deno.test("a line is JSON with time, level, name, event and values", () => {
  const { lines, log } = collect();
  log.with({ correlationId: "c1" }).info("batch_settled", { done: 3, durationMs: 12.5 });
  assert.deepEqual(JSON.parse(lines[0] ?? ""), {
    "@timestamp": "2026-01-01T00:00:00.000Z",
    level: "INFO",
    message: "batch_settled",
    logger: "mautic-sync",
    correlationId: "c1",
    done: 3,
    durationMs: 12.5,
  });
});

Deno.test("addresses are masked wherever they are", () => {
  const { lines, log } = collect();
  const values: LogValues = {
    email: "ann@example.test",
    nested: { list: ["to ann@example.test"], "ann@example.test": 1 },
    url: "https://m.test/api/contacts?search=ann%40example.test",
    error: new Error("email: ann@example.test is invalid"),
  };
  log.warn("for ann@example.test", values);
  assert.doesNotMatch(lines.join(), /ann|example/);
  assert.match(lines.join(), /a\*\*\*@e\*\*\*\.test/);
});

Deno.test("secrets are removed by name and by look", () => {
  const { lines, log } = collect();
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZSJ9.s1gnature-x";
  const values: LogValues = {
    clientSecret: "s3cret",
    access_token: "s3cret",
    headers: { Authorization: "Bearer s3cret", apikey: "s3cret" },
    url: "https://x.test/hook?secret=s3cret&x=1",
    said: "Authorization: Bearer s3cret-token and client_secret=s3cret",
    body: JSON.stringify({ access_token: "s3cret", client_secret: "s3cret" }),
    key: "sb_secret_s3cret",
    jwt,
    dsn: "postgres://user:s3cret@db.test/postgres",
    error: new Error("bad https://x.test?apikey=s3cret"),
  };
  log.error("failed", values);
  assert.doesNotMatch(lines.join(), /s3cret|s1gnature/);
  assert.match(lines.join(), /x=1/);
});

Deno.test("a number or a yes/no under a secret's name is shown", () => {
  const { lines, log } = collect();
  log.info("ping", { tokenCached: true, tokens: 3 });
  assert.match(lines.join(), /"tokenCached":true,"tokens":3/);
});

Deno.test("a line names no event but its own", () => {
  const { lines, log } = collect();
  log.info("real", { message: "forged", level: "forged", logger: "forged" });
  const line = JSON.parse(lines[0] ?? "");
  assert.deepEqual([line.message, line.level, line.logger], ["real", "INFO", "mautic-sync"]);
});

Deno.test("logging never raises, and every line is JSON on one line", () => {
  const circular: LogValues = {};
  circular["self"] = circular;
  const { lines, log } = collect();
  log.info("circular", circular);
  log.info("getter", {
    get bad() {
      throw new Error();
    },
  });
  log.info(
    "proxy",
    new Proxy({}, {
      ownKeys: () => {
        throw new Error();
      },
    }),
  );
  log.info("many", { big: 10n, fn: () => 1, symbol: Symbol("x"), date: new Date(NaN), n: NaN });
  log.info("long", { text: "x\n".repeat(100_000) });
  fc.assert(fc.property(fc.anything(), fc.string(), (value, event) => log.info(event, { value })));
  for (const line of lines) {
    assert.ok(!line.includes("\n") && line.length < 10_000);
    JSON.parse(line);
  }
  createLog({
    name: "x",
    write: () => {
      throw new Error();
    },
    now: () => 0,
  }).info("x");
});
