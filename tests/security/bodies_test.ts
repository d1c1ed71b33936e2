import assert from "node:assert/strict";
import { connect } from "node:net";
import { readBody } from "shared/http/body.ts";
import { insertLead } from "../support/leads.ts";
import { contents, type Project, startProject } from "./project.ts";

const limits = { maxBytes: 1_000, timeoutMs: 50 };

/** A request whose body is what `start` makes of it. */
function streamed(
  start: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
  cancel: () => void = () => {},
): Request {
  const body = new ReadableStream({ start, cancel });
  return new Request("http://local/", { method: "POST", body });
}

Deno.test("a body that ends in time and size is read to the byte", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(1_000));
  const request = streamed((controller) => {
    for (let at = 0; at < 1_000; at += 100) controller.enqueue(bytes.slice(at, at + 100));
    controller.close();
  });
  assert.deepEqual(await readBody(request, limits), { ok: true, bytes });
  const none = new Request("http://local/", { method: "POST" });
  assert.deepEqual(await readBody(none, limits), { ok: true, bytes: new Uint8Array() });
});

Deno.test("a body that trickles, or never ends, is given up, and its sender cut off", async () => {
  for (const first of [new Uint8Array([0x7b]), new Uint8Array()]) {
    const cut = Promise.withResolvers<void>();
    const request = streamed((controller) => {
      if (first.length > 0) controller.enqueue(first);
    }, cut.resolve);
    const read = await readBody(request, limits);
    assert.equal(read.ok ? "" : read.code, "body_too_slow");
    await cut.promise;
  }
});

Deno.test("a body without an end is not read beyond its limit", async () => {
  let sent = 0;
  const cut = Promise.withResolvers<void>();
  const body = new ReadableStream({
    pull(controller) {
      sent += 100;
      controller.enqueue(new Uint8Array(100));
    },
    cancel: () => cut.resolve(),
  });
  const request = new Request("http://local/", { method: "POST", body });
  const read = await readBody(request, limits);
  assert.equal(read.ok ? "" : read.code, "body_too_large");
  await cut.promise;
  assert.ok(sent <= 1_300, `${sent} bytes were taken`);
});

/** A connection of our own to a function: what fetch would not send. */
async function raw(project: Project, head: string[], body: string): Promise<string> {
  const { hostname, port } = new URL(project.url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding("utf8");
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  let answer = "";
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.includes("\r\n\r\n")) break;
  }
  socket.destroy();
  return answer;
}

Deno.test("a client that never ends its body is answered within seconds by both functions", async () => {
  await using project = await startProject({
    env: { MAUTIC_WEBHOOK_SIGNING_KEY: "a key, so that the body is read before it is trusted" },
  });
  const before = await contents(project.sql);
  const head = (path: string) => [
    `POST /functions/v1/${path} HTTP/1.1`,
    "Host: local",
    `apikey: ${project.keys.secret}`,
    "Webhook-Signature: AAAA",
    "Content-Type: application/json",
    "Content-Length: 1000",
  ];
  const startedAt = performance.now();
  const answers = await Promise.all([
    raw(project, head("mautic-sync"), '{"action"'),
    raw(project, head("mautic-webhook"), '{"mautic'),
  ]);
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - startedAt < 30_000);
  assert.equal(await contents(project.sql), before);
});

const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);
const upsert = (payload: string) => `{"action":"upsert_contact","payload":${payload}}`;
const lead = (more: string) => `{"id":"1","contact":{"email":"a@example.test"}${more}}`;

/** Bodies that are no lead, or not only: what mautic-sync has to answer to them. */
const hostileRequests: [what: string, body: BodyInit, status: number[]][] = [
  ["nothing", "", [400]],
  ["invalid UTF-8", new Uint8Array([0x22, 0xc3, 0x28, 0x22]), [400]],
  ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), [400]],
  ["a NUL byte", '{"action":"ping\u0000"}', [400]],
  ["500,000 nested lists", nested(500_000), [400]],
  ["100,000 nested objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, [400]],
  ["a deep payload", upsert(nested(400_000)), [400]],
  ["a deep field", upsert(`{"id":"1","contact":{"email":${nested(100_000)}}}`), [400]],
  ["a deep extra field", upsert(lead(`,"extra":${nested(100_000)}`)), [200]],
  [
    "100,000 extra keys",
    upsert(lead(
      `,${Array.from({ length: 60_000 }, (_, n) => `"k${n}":1`).join(",")}`,
    )),
    [200],
  ],
  ["a doubled key", '{"action":"ping","action":"explode"}', [400]],
  ["a prototype", '{"__proto__":{"action":"ping"}}', [400]],
  ["a prototype in the lead", upsert(lead(',"__proto__":{"crm_status":"qualified"}')), [200]],
  ["a constructor", upsert(lead(',"constructor":{"prototype":{"polluted":true}}')), [200]],
  ["a huge number as id", '{"action":"add_to_campaign","mauticContactId":1e400,"campaignId":1}', [
    400,
  ]],
  [
    "2^63 as id",
    '{"action":"add_to_campaign","mauticContactId":9223372036854775808,"campaignId":1}',
    [
      400,
    ],
  ],
  ["a huge score", upsert(lead(',"ml":{"score":1e400}')), [400, 422]],
  ["a score of 309 digits", upsert(lead(`,"ml":{"score":1e308}`)), [200, 400, 422]],
  [
    "a lone surrogate in a name",
    upsert(
      '{"id":"1","contact":{"email":"a@example.test","first_name":"\\ud800"}}',
    ),
    [200, 400, 422],
  ],
  ["a lone surrogate as id", upsert('{"id":"\\udfff","contact":{"email":"a@example.test"}}'), [
    400,
    422,
  ]],
  ["a NUL in the id", upsert('{"id":"a\\u0000b","contact":{"email":"a@example.test"}}'), [
    400,
    422,
  ]],
  [
    "a NUL in a name",
    upsert(
      '{"id":"1","contact":{"email":"a@example.test","first_name":"A\\u0000nn"}}',
    ),
    [200, 400, 422],
  ],
  ["a lone surrogate as address", upsert('{"id":"1","contact":{"email":"\\ud800@example.test"}}'), [
    422,
  ]],
  ["an id of 900,000 characters", upsert(`{"id":"${"x".repeat(900_000)}","contact":{}}`), [
    400,
    422,
  ]],
  [
    "a name of 900,000 characters",
    upsert(
      `{"id":"1","contact":{"email":"a@example.test","first_name":"${"x".repeat(900_000)}"}}`,
    ),
    [200, 400, 422],
  ],
];

Deno.test("mautic-sync answers every hostile body with what is wrong, and goes on", async () => {
  await using project = await startProject();
  const headers = { apikey: project.keys.secret };
  const url = `${project.url}/functions/v1/mautic-sync`;
  for (const [what, body, expected] of hostileRequests) {
    const response = await fetch(url, { method: "POST", headers, body });
    const text = await response.text();
    assert.ok(
      expected.includes(response.status),
      `${what}: ${response.status} ${text.slice(0, 300)}`,
    );
    assert.ok(text.length < 10_000, `${what}: an answer of ${text.length} characters`);
    const answer = JSON.parse(text);
    assert.equal(answer.ok, response.status < 300, what);
  }
  const tooLarge = await fetch(url, { method: "POST", headers, body: "1".repeat(2_000_000) });
  assert.equal(tooLarge.status, 413);
  await tooLarge.body?.cancel();

  const many = Object.fromEntries(
    Array.from({ length: 90 }, (_, n) => [`x-${n}`, "v".repeat(100)]),
  );
  const ping = await fetch(url, {
    method: "POST",
    headers: { ...headers, ...many },
    body: '{"action":"ping"}',
  });
  assert.equal(ping.status, 200, await ping.text());
  const last = project.log.at(-1) ?? "";
  assert.doesNotMatch(project.log.join("\n"), /"internal"|Something went wrong/, last);
  // What was no lead left no contact.
  assert.deepEqual([...project.mautic.contacts.values()].map(({ id }) => id), [1]);
});

const subscription = "mautic.lead_channel_subscription_changed";
const say = (email: string, more = "") =>
  `{"${subscription}":[{"channel":"email","old_status":"contactable","new_status":"unsubscribed",
    "contact":{"id":5,"fields":{"core":{"email":{"value":${email}}}}}${more}}]}`;

const hostileDeliveries: [what: string, body: BodyInit, status: number][] = [
  ["nothing", "", 400],
  ["invalid UTF-8", new Uint8Array([0x22, 0xc3, 0x28, 0x22]), 400],
  ["a list", "[]", 200],
  ["null", "null", 200],
  ["a number", "1e400", 200],
  ["300,000 nested lists", nested(300_000), 200],
  ["nested events", `{"${subscription}":${nested(300_000)}}`, 200],
  ["a nested event", `{"${subscription}":[{"contact":${nested(200_000)}}]}`, 200],
  ["a nested address", say(nested(100_000)), 200],
  ["a prototype", `{"__proto__":{"${subscription}":[]}}`, 200],
  ["a prototype in an event", say('"lead@example.test"', ',"__proto__":{"channel":"sms"}'), 200],
  ["a NUL in the address", say('"a\\u0000@example.test"'), 200],
  ["a lone surrogate in the address", say('"\\ud800@example.test"'), 200],
  ["a lone surrogate in the comment", say('"a@example.test"', ',"comments":"\\ud800"'), 200],
  ["a NUL in the comment", say('"a@example.test"', ',"comments":"\\u0000"'), 200],
  ["an id beyond 2^53", say('"a@example.test"').replace('"id":5', '"id":9007199254740993'), 200],
  ["an id beyond 2^63", say('"a@example.test"').replace('"id":5', '"id":1e30'), 200],
  ["an id of nothing", say('"a@example.test"').replace('"id":5', '"id":{"a":[]}'), 200],
  ["a time that is none", say('"a@example.test"', ',"timestamp":"9999-99-99T99:99:99Z"'), 200],
  [
    "a time of the year 300,000",
    say('"a@example.test"', ',"timestamp":"+300000-01-01T00:00:00Z"'),
    200,
  ],
  ["an address of 500,000 characters", say(`"${"x".repeat(500_000)}@example.test"`), 200],
  [
    "10,000 events",
    `{"${subscription}":[${
      Array.from(
        { length: 10_000 },
        (_, n) => `{"channel":"email","new_status":"unsubscribed","contact":{"id":${n + 10}}}`,
      )
        .join(",")
    }]}`,
    200,
  ],
];

Deno.test("mautic-webhook takes every hostile delivery that is JSON, and changes no lead by it", async () => {
  await using project = await startProject();
  const { sql } = project;
  await insertLead(sql, "lead@example.test");
  const url = `${project.url}/functions/v1/mautic-webhook?secret=${project.webhookSecret}`;
  for (const [what, body, expected] of hostileDeliveries) {
    const response = await fetch(url, { method: "POST", body });
    const text = await response.text();
    assert.equal(response.status, expected, `${what}: ${text.slice(0, 300)}`);
    assert.ok(text.length < 400_000, `${what}: an answer of ${text.length} characters`);
    JSON.parse(text);
  }
  const [row] = await sql`select email_status from public.leads`;
  assert.equal(row?.["email_status"], "unsubscribed", "by the one event that is a lead's");
  const tooLarge = await fetch(url, { method: "POST", body: "1".repeat(2_000_000) });
  assert.equal(tooLarge.status, 413);
  await tooLarge.body?.cancel();
  const failed = project.log.filter((line) => /"webhook_failed"|"events_not_stored"/.test(line));
  assert.deepEqual(failed, []);
});
