import assert from "node:assert/strict";
import { systemClock } from "shared/runtime/clock.ts";
import { createLog } from "shared/runtime/log.ts";
import { createHandler } from "../../supabase/functions/mautic-sync/handler.ts";
import { createHandler as createWebhook } from "../../supabase/functions/mautic-webhook/handler.ts";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import { startProject } from "./project.ts";

/** What would begin a line, a header or a colour of its own, were it written as it is. */
const nasty = [
  'x\r\n{"level":"ERROR","message":"forged"}',
  "x\nforged: line",
  'x","level":"ERROR","message":"forged',
  "x\r\nX-Forged: 1\r\n\r\nbody",
  "x%0d%0aX-Forged:%201",
  "x\u001b[31mred\u001b[0m\u001b]0;title\u0007",
  "x\u2028forged\u2029forged",
  "x\u0085forged\u009b31m",
  "x\u202eforged\u2066",
  "x\u0000forged",
  "x\ud800forged",
  "${jndi:ldap://127.0.0.1/x} %s %n <script>",
  `x${"y".repeat(100_000)}`,
];

/** One JSON object, and nothing that a terminal or a reader of lines would take for more. */
function isOneLine(line: string): boolean {
  // deno-lint-ignore no-control-regex -- these are what must not be there
  const odd = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
  const parsed: unknown = JSON.parse(line);
  return !odd.test(line) && line.length < 20_000 && typeof parsed === "object" &&
    parsed !== null && Reflect.get(parsed, "message") !== "forged" &&
    Reflect.get(parsed, "level") !== "forged";
}

Deno.test("each log line is one JSON object, whatever is logged", () => {
  const lines: string[] = [];
  const log = createLog({ name: "test", write: (line) => lines.push(line), now: Date.now });
  for (const text of nasty) {
    log.info(text, { [text]: text, deep: [{ text }], error: new Error(text) });
    log.with({ correlationId: text }).error("event", { level: text, message: text });
  }
  assert.equal(lines.length, 2 * nasty.length);
  for (const line of lines) assert.ok(isOneLine(line), line.slice(0, 500));
});

Deno.test("no field, id, header or body of a caller makes a line or a header of its own", async () => {
  await using project = await startProject();
  const { url, keys, webhookSecret, log, sql } = project;
  for (const text of nasty) {
    const lead = {
      id: text.slice(0, 128),
      crm_status: text,
      contact: { email: "ann@example.test", first_name: text, company: text, phone: text },
      utm: { source: text },
    };
    const bodies = [
      { action: "upsert_contact", payload: lead },
      { action: text },
      { action: "upsert_contact", payload: { ...lead, contact: { email: text } } },
      { action: "upsert_contact", payload: { [text]: text, id: [text] } },
      { action: "add_to_campaign", mauticContactId: text, campaignId: 1 },
    ];
    for (const body of bodies) {
      const response = await fetch(`${url}/functions/v1/mautic-sync`, {
        method: "POST",
        headers: { apikey: keys.secret },
        body: JSON.stringify(body),
      });
      assert.equal(response.headers.get("x-forged"), null);
      await response.body?.cancel();
    }
    const event = {
      channel: "email",
      old_status: text,
      new_status: "unsubscribed",
      contact: { id: 1, fields: { core: { email: { value: text } } } },
      comments: text,
    };
    const delivered = await fetch(
      `${url}/functions/v1/mautic-webhook?secret=${webhookSecret}&x=${
        encodeURIComponent(text.toWellFormed().slice(0, 1_000))
      }`,
      {
        method: "POST",
        body: JSON.stringify({
          "mautic.lead_channel_subscription_changed": [event],
          [text]: [text],
        }),
      },
    );
    assert.equal(delivered.status, 200);
    await delivered.body?.cancel();
  }
  // Headers that fetch lets through; others never leave a client.
  for (const text of nasty.filter((each) => /^[\t\x20-\x7e\x80-\xff]{1,5000}$/.test(each))) {
    for (const path of ["mautic-sync", `mautic-webhook?secret=${webhookSecret}`]) {
      const response = await fetch(`${url}/functions/v1/${path}`, {
        method: "POST",
        headers: {
          apikey: keys.secret,
          "x-correlation-id": text,
          "x-origin-base-url": text,
          "user-agent": text,
        },
        body: '{"action":"ping"}',
      });
      assert.match(response.headers.get("x-correlation-id") ?? "", /^[0-9a-f-]{36}$/);
      await response.body?.cancel();
    }
  }
  assert.ok(log.length > 50);
  for (const line of log) assert.ok(isOneLine(line), line.slice(0, 500));
  const [row] = await sql`select count(*)::int as n from mautic.webhook_delivery`;
  assert.ok(row?.["n"] >= nasty.length);
});

Deno.test("a lead's fields reach Mautic as they are, its correlation id in one form only", async () => {
  await using sync = await startSync();
  const wellFormed = /^[A-Za-z0-9._:-]{1,128}$/;
  const storable = nasty.filter((text) => text.isWellFormed() && !text.includes("\u0000"));
  for (const [index, text] of storable.entries()) {
    await sync.sql.begin(async (sql) => {
      await sql`select set_config('mautic.correlation_id', ${text}, true)`;
      const headers = JSON.stringify({ "x-correlation-id": text });
      await sql`select set_config('request.headers', ${index % 2 === 0 ? headers : text}, true)`;
      await sql`insert into public.leads ${
        sql({ email: `p${index}@example.test`, company: text.slice(0, 50) })
      }`;
    });
  }
  const changes = await sync.sql`select correlation_id as id from mautic.lead_change`;
  assert.equal(changes.length, storable.length);
  for (const { id } of changes) assert.match(String(id), wellFormed);
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, storable.length);
  for (const { correlationId } of sync.mautic.requests) {
    assert.match(correlationId ?? "none", wellFormed);
  }
});

Deno.test("in demo mode, too, lines are lines, and no address or phone number is in one", async () => {
  const lines: string[] = [];
  const options = { fetch, clock: systemClock, random: Math.random };
  const log = createLog({ name: "demo", write: (line) => lines.push(line), now: Date.now });
  const key = "sb_secret_demo-mode-key-0123456789";
  const env = { SUPABASE_URL: "http://127.0.0.1:9", SUPABASE_SECRET_KEY: key };
  const sync = createHandler({ ...options, log, platform: { env, background: () => {} } });
  const webhook = createWebhook({ ...options, log, env: {} });
  const email = "somebody.canary@example.test";
  for (const text of [...nasty, "+15550100123"]) {
    const lead = { id: "1", contact: { email, phone: text, first_name: text, company: email } };
    const upserted = await sync(
      new Request("http://f/mautic-sync", {
        method: "POST",
        headers: { apikey: key },
        body: JSON.stringify({ action: "upsert_contact", payload: lead }),
      }),
    );
    assert.equal(upserted.status, 200);
    const delivered = await webhook(
      new Request("http://f/mautic-webhook", {
        method: "POST",
        body: JSON.stringify({
          "mautic.lead_channel_subscription_changed": [{
            channel: text.replace(/^\+\d+$/, "email"),
            new_status: "bounced",
            comments: `${text} ${email}`,
            contact: { id: 1, fields: { core: { email: { value: email } } } },
          }],
        }),
      }),
    );
    assert.equal(delivered.status, 200);
  }
  assert.ok(lines.length >= 2 * nasty.length);
  for (const line of lines) {
    assert.ok(isOneLine(line), line.slice(0, 500));
    assert.doesNotMatch(line, /somebody\.canary|5550100123|demo-mode-key/);
  }
});

Deno.test("an operator's correlation id that is none is replaced in Postgres", async () => {
  await using db = await testDatabase();
  for (const text of ["a\nb", "a b", "a'b", "x".repeat(129), "ä", "a\tb", "a\n"]) {
    await db.sql.begin(async (sql) => {
      await sql`select set_config('mautic.correlation_id', ${text}, true)`;
      const [row] = await sql`select mautic.correlation_id() as id`;
      assert.match(row?.["id"], /^[A-Za-z0-9._:-]{1,128}$/, JSON.stringify(text));
      assert.notEqual(row?.["id"], text);
    });
  }
});
