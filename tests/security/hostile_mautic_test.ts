import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { insertLead } from "../database/support.ts";
import { startSync, type Sync } from "../support/sync.ts";
import {
  answer,
  endless,
  type HostileMautic,
  type Misbehaviour,
  startHostileMautic,
} from "./hostile_mautic.ts";

interface World extends AsyncDisposable {
  sync: Sync;
  hostile: HostileMautic;
}

async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const cleanup = new AsyncDisposableStack();
  const hostile = cleanup.use(await startHostileMautic());
  const sync = cleanup.use(
    await startSync({
      env: {
        MAUTIC_BASE_URL: hostile.url,
        MAUTIC_REQUEST_TIMEOUT_MS: "1500",
        MAUTIC_SERVER_TIME_LIMIT_MS: "0",
        ...env,
      },
    }),
  );
  hostile.target = sync.mautic.url;
  return { sync, hostile, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}

const token = /^\/oauth/;
const save = /^\/api\/contacts\/(new|batch\/new)/;
const contact = (id: string, email = '"ann@example.test"') =>
  `{"contact":{"id":${id},"doNotContact":[],"fields":{"all":{"email":${email}}}}}`;
const give = (expires: string, text = '"a-token"') =>
  `{"access_token":${text},"expires_in":${expires},"token_type":"bearer"}`;
const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));

/** What a hostile server may answer to the save of a lead, and the code it is reported by. */
const answers: [what: string, path: RegExp, how: Misbehaviour, codes: string[]][] = [
  ["HTML that says it is", save, answer("<html>", { headers: { "Content-Type": "text/html" } }), [
    "bad_answer",
  ]],
  [
    "JSON that says it is HTML",
    save,
    answer(contact("5"), {
      headers: { "Content-Type": "text/html" },
    }),
    ["bad_answer"],
  ],
  ["a cut text", save, answer('{"contact":{"id":5,"fie'), ["bad_answer"]],
  ["nothing", save, answer(""), ["bad_answer"]],
  ["204", save, answer("", { status: 204 }), ["bad_answer"]],
  ["a text in quotes", save, answer('"contact"'), ["bad_answer"]],
  ["a list", save, answer("[]"), ["bad_answer"]],
  ["100,000 nested lists", save, answer("[".repeat(100_000) + "]".repeat(100_000)), ["bad_answer"]],
  ["a status of 299", save, answer("{}", { status: 299 }), ["bad_answer"]],
  ["a status of 418", save, answer("{}", { status: 418 }), ["server_failed", "bad_answer"]],
  ["a status of 599", save, answer("{}", { status: 599 }), ["ambiguous"]],
  ["9 MiB", save, answer(`{"a":"${"x".repeat(9 * 1024 * 1024)}"}`), ["bad_answer"]],
  ["no end", save, endless('{"a":"', "x".repeat(65_536)), ["bad_answer"]],
  ["a trickle without end", save, endless('{"a":"', "x", 20), ["ambiguous"]],
  ["a gzip bomb", save, (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip" });
    response.end(bomb);
  }, ["bad_answer"]],
  ["what says it is gzip", save, answer("{}", { headers: { "Content-Encoding": "gzip" } }), [
    "ambiguous",
    "bad_answer",
  ]],
  ["headers without end", save, (request) => {
    const { socket } = request;
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\n");
    const more = () => {
      if (socket.destroyed) return;
      if (socket.write(`X-Header: ${"x".repeat(1_000)}\r\n`.repeat(50))) setImmediate(more);
      else socket.once("drain", more);
    };
    more();
  }, ["ambiguous"]],
  ["no HTTP at all", save, (request) => {
    request.socket.end("220 smtp.example.test ready\r\n");
  }, ["ambiguous"]],
  ...["-1", "0", "1.5", "1e309", "null", "true", '"abc"', '"1e3"', '" 5"', '"5; drop"', "[5]", "{}"]
    .map((id): [string, RegExp, Misbehaviour, string[]] => [
      `the id ${id}`,
      save,
      answer(contact(id)),
      ["bad_answer"],
    ]),
  ["2^53 + 1 as id", save, answer(contact("9007199254740993")), ["bad_answer"]],
  [
    "a contact without do-not-contact entries",
    save,
    answer(
      '{"contact":{"id":5,"fields":{"all":{"email":"ann@example.test"}}}}',
    ),
    ["bad_answer"],
  ],
  [
    "an error of 1 MB",
    save,
    answer(
      JSON.stringify({ errors: [{ code: 400, message: "x".repeat(1_000_000) }] }),
      { status: 400 },
    ),
    ["validation_failed", "field_refused"],
  ],
  [
    "an error with a NUL",
    save,
    answer('{"errors":[{"code":500,"message":"a\\u0000b"}]}', {
      status: 500,
    }),
    ["server_failed"],
  ],
  [
    "an error with half a character",
    save,
    answer(
      `{"errors":[{"code":500,"message":"x\\ud800${
        "y".repeat(371)
      }\\ud83d\\ude00\\ud83d\\ude00"}]}`,
      { status: 500 },
    ),
    ["server_failed"],
  ],
  [
    "an error that commands a terminal",
    save,
    answer(
      '{"errors":[{"code":500,"message":"\\u001b[2J\\u009b31m\\u2028"}]}',
      { status: 500 },
    ),
    ["server_failed"],
  ],
  [
    "a code that is none",
    save,
    answer('{"errors":[{"code":"drop","message":{"a":1}}]}', {
      status: 500,
    }),
    ["server_failed"],
  ],

  ["a token of no text", token, answer(give("3600", "5")), ["bad_answer"]],
  ["an empty token", token, answer(give("3600", '""')), ["bad_answer"]],
  ["a token with a line end", token, answer(give("3600", '"a\\r\\nX-Evil: 1"')), ["bad_answer"]],
  ["a token with a NUL", token, answer(give("3600", '"a\\u0000b"')), ["bad_answer"]],
  ["a token with a space", token, answer(give("3600", '"a b"')), ["bad_answer"]],
  ["a token beyond ASCII", token, answer(give("3600", '"tökén\\u2028"')), ["bad_answer"]],
  ["a token of 100,000 characters", token, answer(give("3600", `"${"t".repeat(100_000)}"`)), [
    "bad_answer",
  ]],
  ["a token without an end", token, endless('{"access_token":"', "t".repeat(65_536)), [
    "bad_answer",
  ]],
  ["no token", token, answer("{}"), ["bad_answer"]],
];
for (const [what, path, how, codes] of answers) {
  Deno.test(`a Mautic that answers with ${what} costs no lead, and nothing of it is believed`, async () => {
    await using world = await startWorld();
    const { sync, hostile } = world;
    await insertLead(sync.sql, "ann@example.test");
    hostile.misbehave(path, how);
    const startedAt = performance.now();
    await sync.drain();
    assert.ok(performance.now() - startedAt < 20_000, "in bounded time");
    assert.ok(hostile.misbehaved() > 0 && hostile.misbehaved() < 10);

    const [row] = await sync.sql`
      select state, error_code, error_message, length(error_message) as length
      from mautic.outbox`;
    assert.ok(row, "the lead is still there");
    assert.ok(codes.includes(row["error_code"]), `${row["state"]}: ${row["error_code"]}`);
    assert.ok((row["length"] ?? 0) <= 500);
    // deno-lint-ignore no-control-regex -- these are what must not be there
    assert.doesNotMatch(row["error_message"] ?? "", /[\u0000-\u001f\u007f-\u009f\u2028]/);
    assert.deepEqual([...await sync.sql`select from mautic.contact_link`], []);
    assert.ok(JSON.stringify(sync.log).length < 50_000);

    hostile.heal();
    await sync.sql`select mautic.replay_where(everything => true)`;
    await sync.skipWaits();
    await sync.drain();
    assert.deepEqual([...await sync.sql`select state, error_code from mautic.outbox`], []);
    assert.equal(sync.mautic.contacts.size, 1);
  });
}

Deno.test("neither credentials nor token nor a lead follow a redirect elsewhere", async () => {
  const visits: string[] = [];
  const elsewhere = createServer((request, response) => {
    visits.push(`${request.url} ${JSON.stringify(request.headers)}`);
    response.end("{}");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const { port } = elsewhere.address() as AddressInfo;
  try {
    await using world = await startWorld();
    const { sync, hostile } = world;
    await insertLead(sync.sql, "ann@example.test");
    for (const path of [token, save, /^\/api/]) {
      for (const status of [300, 301, 302, 303, 307, 308]) {
        const Location = `http://user:pass@127.0.0.1:${port}/api/contacts/new?to=elsewhere`;
        hostile.misbehave(path, answer("", { status, headers: { Location } }));
        await sync.sql`select mautic.replay_where(everything => true)`;
        await sync.skipWaits();
        await sync.drain();
        const { answer: ping } = await sync.call({ action: "ping" });
        if (path !== save) assert.equal(ping.error?.code, "bad_answer");
      }
    }
    assert.deepEqual(visits, []);
    assert.ok(hostile.misbehaved() > 12);
    assert.doesNotMatch(JSON.stringify(sync.log), /user:pass/);
  } finally {
    elsewhere.closeAllConnections();
    await new Promise((resolve) => elsewhere.close(resolve));
  }
});

Deno.test("an answer is read to its limit and no further, packed or not", async () => {
  const large = JSON.stringify({ a: "x".repeat(9 * 1024 * 1024) });
  const packed: Misbehaviour = (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip" });
    response.end(gzipSync(large));
  };
  for (const how of [answer(large), packed, endless('{"a":"', "x".repeat(65_536))]) {
    await using world = await startWorld();
    world.hostile.misbehave(save, how);
    await insertLead(world.sync.sql, "ann@example.test");
    await world.sync.drain();
    assert.match(JSON.stringify(world.sync.log), /larger than 8388608 bytes/);
  }
});

Deno.test("who hangs on for ever is hung up on", async () => {
  for (const how of [endless('{"a":"', "x".repeat(65_536)), endless("{", " ", 20)]) {
    await using world = await startWorld();
    world.hostile.misbehave(save, how);
    await insertLead(world.sync.sql, "ann@example.test");
    await world.sync.drain();
    await world.hostile.hungUp;
  }
});

Deno.test("a batch answered with each other's contacts links nobody to a stranger", async () => {
  await using world = await startWorld();
  const { sync, hostile } = world;
  const names = ["ann", "ben", "cleo"];
  for (const name of names) {
    await insertLead(sync.sql, `${name}@example.test`, { first_name: name });
  }
  hostile.misbehave(/^\/api\/contacts\/batch\/new/, async (request, response, body) => {
    const real = await fetch(`${hostile.target}${request.url}`, {
      method: "POST",
      headers: {
        authorization: request.headers.authorization ?? "",
        "content-type": "application/json",
      },
      body,
    });
    const given = await real.json();
    const [first, second, third] = Object.values(given.contacts);
    const swapped = { ...given, contacts: [second, third, first] };
    answer(JSON.stringify(swapped), { status: real.status })(request, response, body);
  });
  await sync.drain();
  assert.equal(hostile.misbehaved(), 1);
  hostile.heal();
  for (let round = 0; round < 2; round++) {
    await sync.skipWaits();
    await sync.sql`update public.leads set crm_status = ${`round ${round}`}`;
    await sync.drain();
  }
  assert.deepEqual([...await sync.sql`select state from mautic.outbox`], []);
  const links = await sync.sql`
    select l.first_name as name, k.contact_id as id
    from mautic.contact_link k join public.leads l on l.id::text = k.lead_id order by 1`;
  const shown = [...sync.mautic.contacts.values()].map(({ id, values }) => [
    values.get("firstname"),
    values.get("email"),
    links.find((link) => Number(link["id"]) === id)?.["name"],
  ]);
  assert.deepEqual(shown.sort(), names.map((name) => [name, `${name}@example.test`, name]));
});

for (const expires of ["1e308", "1e15", "-5", "0", '"soon"', "null", "{}", '"1e400"', "[]", '""']) {
  Deno.test(`a token said to live for ${expires} seconds is used, and not for ever`, async () => {
    await using world = await startWorld();
    const { sync, hostile } = world;
    await insertLead(sync.sql, "ann@example.test");
    hostile.misbehave(token, async (_, response, body) => {
      const real = await fetch(`${hostile.target}/oauth/v2/token`, {
        method: "POST",
        body: new URLSearchParams(body),
      });
      const { access_token } = await real.json();
      answer(give(expires, JSON.stringify(access_token)))(_, response, body);
    });
    await sync.drain();
    assert.equal(sync.mautic.contacts.size, 1);
    const [row] = await sync.sql`
      select holder, expires_at < now() + interval '25 hours' as bounded from mautic.oauth_token`;
    assert.equal(row?.["holder"], null, "nobody waits for a token that is there");
    assert.equal(row?.["bounded"], true);
  });
}

for (
  const after of ["1e300", "-1", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "soon"]
) {
  Deno.test(`a Retry-After of ${after} keeps a lead for an hour at most`, async () => {
    await using world = await startWorld();
    const { sync, hostile } = world;
    await insertLead(sync.sql, "ann@example.test");
    hostile.misbehave(save, answer("{}", { status: 429, headers: { "Retry-After": after } }));
    await sync.drain();
    const [row] = await sync.sql`
      select state, not_before < now() + interval '61 minutes' as soon from mautic.outbox`;
    assert.deepEqual([row?.["state"], row?.["soon"]], ["waiting", true]);
  });
}

Deno.test("what a server repeats of our secrets is in no log line, row or answer", async () => {
  await using world = await startWorld();
  const { sync, hostile } = world;
  await insertLead(sync.sql, "ann@example.test");
  const secret = sync.env["MAUTIC_CLIENT_SECRET"] ?? "";
  let bearer = "";
  hostile.misbehave(save, (request, response, body) => {
    bearer = request.headers.authorization?.slice("Bearer ".length) ?? "";
    const message = `You sent ${request.headers.authorization} (${bearer})`;
    const errors = [{ code: 400, message, details: { email: [message] } }];
    answer(JSON.stringify({ errors }), { status: 400 })(request, response, body);
  });
  await sync.drain();
  assert.ok(bearer.length > 20);
  hostile.misbehave(token, (request, response, body) => {
    const said = JSON.stringify({ errors: [{ code: 400, message: `Bad: ${body} ${secret}` }] });
    answer(said, { status: 400 })(request, response, body);
  });
  sync.mautic.revokeTokens();
  const { answer: ping } = await sync.call({ action: "ping" });
  assert.equal(ping.error?.code, "oauth_refused");
  const rows = await sync.sql`select o::text as row from mautic.outbox o`;
  const everything = JSON.stringify([sync.log, rows, ping]);
  assert.match(everything, /You sent/);
  assert.ok(!everything.includes(bearer), "the access token");
  assert.ok(!everything.includes(secret), "the client secret");
});
