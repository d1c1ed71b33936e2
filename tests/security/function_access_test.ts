import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { marked } from "../../local/canary/canary.ts";
import { syncRequest } from "../../supabase/functions/mautic-sync/request.ts";
import { sign, signatureHeader } from "../../supabase/functions/mautic-webhook/signature.ts";
import { insertLead } from "../support/leads.ts";
import { type Caller, misplaced, wrongCallers } from "./callers.ts";
import { contents, type Project, startProject } from "./project.ts";

const requests = {
  "mautic-sync": syncRequest.options.map(({ shape }) => shape.action.value),
  "mautic-webhook": [],
};
const otherMethods = ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];

/** A body for each action that would do something, did it come from the right caller. */
const bodies: Record<string, object> = {
  upsert_contact: { payload: { id: "1", contact: { email: "intruder@example.test" } } },
  add_to_campaign: { mauticContactId: 1, campaignId: 1 },
};

const event = JSON.stringify({
  "mautic.lead_channel_subscription_changed": [{
    channel: "email",
    old_status: "contactable",
    new_status: "unsubscribed",
    contact: { id: 5, fields: { core: { email: { value: "lead@example.test" } } } },
  }],
});

async function ask(project: Project, path: string, init: RequestInit) {
  const response = await fetch(`${project.url}/functions/v1/${path}`, init);
  const text = await response.text();
  const answer = text === "" ? {} : JSON.parse(text);
  return { status: response.status, code: answer.error?.code, text };
}

Deno.test("this suite knows every edge function, and what each of its actions needs", async () => {
  const folder = new URL("../../supabase/functions/", import.meta.url);
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const functions = entries.filter((entry) => entry.isDirectory).map(({ name }) => name);
  assert.deepEqual(functions.sort(), Object.keys(requests).sort());
  assert.deepEqual(
    Object.keys(bodies).filter((name) => !requests["mautic-sync"].some((one) => one === name)),
    [],
  );
});

Deno.test("nobody but a holder of a secret key gets anything from mautic-sync, in any way", async () => {
  await using project = await startProject();
  await insertLead(project.sql, "lead@example.test");
  const before = await contents(project.sql);
  const service = await new SignJWT({ role: "service_role", jti: marked("") }).setProtectedHeader({
    alg: "HS256",
  })
    .setExpirationTime("1h").sign(new TextEncoder().encode(project.keys.jwtSecret));
  const callers: Pick<Caller, "name" | "headers" | "query">[] = [
    ...await wrongCallers(project.keys),
    // Not the service-role key itself: nobody gave it to this function.
    { name: "a valid service token", headers: { authorization: `Bearer ${service}` } },
    ...misplaced("the webhook's secret", project.webhookSecret, project.keys),
    ...misplaced("Mautic's client secret", project.mautic.clientSecret, project.keys),
  ];
  for (const { name, headers, query = "" } of callers) {
    const path = `mautic-sync?${query}`;
    const wanted = [401, "unauthorized"];
    for (const action of requests["mautic-sync"]) {
      const body = JSON.stringify({ action, ...bodies[action] });
      const { status, code } = await ask(project, path, { method: "POST", headers, body });
      assert.deepEqual([status, code], wanted, `${action} by ${name}`);
    }
    const unread = await ask(project, path, { method: "POST", headers, body: "{" });
    assert.deepEqual([unread.status, unread.code], wanted, `a broken body by ${name}`);
    const health = await ask(project, path, { headers });
    assert.deepEqual([health.status, health.code], wanted, `health by ${name}`);
    for (const method of otherMethods) {
      const { status, text } = await ask(project, path, { method, headers });
      assert.equal(status, 405, `${method} by ${name}`);
      assert.doesNotMatch(text, /lead@|"data"/);
    }
    // A key in the address would stand in every access log: it is none.
    const inAddress = await ask(project, `mautic-sync?apikey=${project.keys.secret}`, { headers });
    assert.deepEqual([inAddress.status, inAddress.code], wanted, `${name}, key in the address`);
  }
  assert.equal(await contents(project.sql), before);
  assert.deepEqual(project.mautic.requests, []);

  const right = { apikey: project.keys.secret };
  assert.equal((await ask(project, "mautic-sync", { headers: right })).status, 200);
});

Deno.test("nobody without the webhook's secret has a delivery stored", async () => {
  await using project = await startProject();
  await insertLead(project.sql, "lead@example.test");
  const before = await contents(project.sql);
  const { webhookSecret: secret, keys } = project;
  const bytes = new TextEncoder().encode(event);
  const forged = await sign(bytes, "another key");
  const ofAnother = await sign(new TextEncoder().encode(`${event} `), secret);

  const queries = [
    "",
    "?",
    "?secret",
    "?secret=",
    "?secret=wrong",
    `?secret=${secret.slice(0, -1)}`,
    `?secret=${secret.slice(1)}`,
    `?secret=${secret}0`,
    `?secret=%20${secret}`,
    `?secret=${secret}%20`,
    `?secret=${secret}%0a`,
    `?secret=${secret}%00`,
    `?secret=${secret.toUpperCase()}`,
    `?secret=${secret}&secret=${secret}`,
    `?secret=wrong&secret=${secret}`,
    `?Secret=${secret}`,
    `?secret[]=${secret}`,
    `?apikey=${secret}`,
    `?secret=${keys.secret}`,
    `?secret=undefined`,
    `?secret=null`,
  ];
  const headers: Record<string, string>[] = [
    {},
    { apikey: keys.secret },
    { authorization: `Bearer ${secret}` },
    { secret },
    { [signatureHeader]: "" },
    { [signatureHeader]: secret },
    { [signatureHeader]: forged },
    { [signatureHeader]: ofAnother },
    { [signatureHeader]: `sha256=${await sign(bytes, secret)}` },
    { [signatureHeader]: (await sign(bytes, secret)).slice(0, -1) },
  ];
  for (const query of queries) {
    for (const header of headers) {
      const init = { method: "POST", headers: header, body: event };
      const { status, code } = await ask(project, `mautic-webhook${query}`, init);
      assert.deepEqual(
        [status, code],
        [401, "proof_refused"],
        `${query} ${JSON.stringify(header)}`,
      );
    }
  }
  const strangers = [
    ...await wrongCallers(keys),
    ...misplaced("a secret key", keys.secret, keys),
    ...misplaced("Mautic's client secret", project.mautic.clientSecret, keys),
  ];
  for (const { name, headers, query = "" } of strangers) {
    const init = { method: "POST", headers, body: event };
    const { status, code } = await ask(project, `mautic-webhook?${query}`, init);
    assert.deepEqual([status, code], [401, "proof_refused"], name);
  }
  for (const method of ["GET", ...otherMethods]) {
    const { status } = await ask(project, `mautic-webhook?secret=${secret}`, { method });
    assert.equal(status, 405, method);
  }
  assert.equal(await contents(project.sql), before);

  const init = { method: "POST", body: event };
  const right = await ask(project, `mautic-webhook?secret=${secret}`, init);
  assert.equal(right.status, 200);
  assert.match(await contents(project.sql), /unsubscribed/);
});

Deno.test("where a signing key is set, the secret alone opens nothing", async () => {
  const key = marked(crypto.randomUUID());
  await using project = await startProject({ env: { MAUTIC_WEBHOOK_SIGNING_KEY: key } });
  const before = await contents(project.sql);
  const bytes = new TextEncoder().encode(event);
  const query = `mautic-webhook?secret=${project.webhookSecret}`;
  const signatures = [undefined, "", await sign(bytes, project.webhookSecret), key];
  for (const signature of signatures) {
    const headers = signature === undefined ? {} : { [signatureHeader]: signature };
    const { status } = await ask(project, query, { method: "POST", headers, body: event });
    assert.equal(status, 401);
  }
  assert.equal(await contents(project.sql), before);
  const headers = { [signatureHeader]: await sign(bytes, key) };
  assert.equal((await ask(project, query, { method: "POST", headers, body: event })).status, 200);
  assert.ok(project.log.length >= signatures.length);
  assert.ok(
    project.log.every((line) => !line.includes(key) && !line.includes(project.webhookSecret)),
  );
});
