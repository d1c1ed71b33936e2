import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

Deno.test("neither credentials nor token nor a lead follow a redirect elsewhere", async () => {
  const visits: string[] = [];
  const elsewhere = createServer((request, response) => {
    visits.push(`${request.url} ${JSON.stringify(request.headers)}`);
    response.end("{}");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const { port } = elsewhere.address() as AddressInfo;
  try {
    await using world = await startHostileWorld();
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
    await using world = await startHostileWorld();
    world.hostile.misbehave(save, how);
    await insertLead(world.sync.sql, "ann@example.test");
    await world.sync.drain();
    assert.match(JSON.stringify(world.sync.log), /larger than 8388608 bytes/);
  }
});

Deno.test("who hangs on for ever is hung up on", async () => {
  for (const how of [endless('{"a":"', "x".repeat(65_536)), endless("{", " ", 20)]) {
    await using world = await startHostileWorld();
    world.hostile.misbehave(save, how);
    await insertLead(world.sync.sql, "ann@example.test");
    await world.sync.drain();
    await world.hostile.hungUp;
  }
});

Deno.test("a batch answered with each other's contacts links nobody to a stranger", async () => {
  await using world = await startHostileWorld();
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
    await using world = await startHostileWorld();
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
    await using world = await startHostileWorld();
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
  await using world = await startHostileWorld();
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
