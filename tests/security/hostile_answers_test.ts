import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { insertLead } from "../support/leads.ts";
import {
  answer,
  endless,
  give,
  type Misbehaviour,
  save,
  startHostileWorld,
  token,
} from "./hostile_mautic.ts";

const contact = (id: string, email = '"ann@example.test"') =>
  `{"contact":{"id":${id},"doNotContact":[],"fields":{"all":{"email":${email}}}}}`;
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
    await using world = await startHostileWorld();
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
