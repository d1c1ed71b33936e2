import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Canary, canary, marked } from "../../local/canary/canary.ts";
import type { FaultKind } from "../../local/mautic/faults.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { sign, signatureHeader } from "../../supabase/functions/mautic-webhook/signature.ts";
import { drained, holds } from "../end_to_end/support.ts";

export const random = () => crypto.randomUUID().replaceAll("-", "");
const legacyKey = `eyJhbGciOiJIUzI1NiJ9.${btoa(random())}.${marked(random())}`;
const webhookSecret = `hook+/${marked(random())}`;
const signingKey = `sign/${marked(random())}`;
/** What access tokens, and the secrets that Mautic makes for its webhooks, begin with. */
const tokenMark = marked(random());
const clientSecret = `client/${marked(random())}`;

/** One person for each way that data takes; none of them may be seen where people are not kept. */
export const people = {
  synced: `synced.${random()}@canary.test`,
  enrolled: `enrolled.${random()}@canary.test`,
  refused: `refused.${random()}é@canary.test`,
  invalid: `invalid.${random()}@canary`,
  unsubscribed: `unsubscribed.${random()}@canary.test`,
  stranger: `stranger.${random()}@canary.test`,
  direct: `direct.${random()}@canary.test`,
  removed: `removed.${random()}@canary.test`,
  erased: `erased.${random()}@canary.test`,
  failing: `failing.${random()}@canary.test`,
  broken: `broken.${random()}@canary.test`,
};
export const phone = `+1555${
  Array.from(random().slice(0, 10), (sign) => parseInt(sign, 16) % 10).join("")
}`;

/** A stack that has been through everything, and what can be looked through afterwards. */
export interface WholeRun extends AsyncDisposable {
  stack: Stack;
  secrets: Canary[];
  personal: Canary[];
  /** Everything that was printed, answered or logged, by what it is. */
  texts: Record<string, string>;
}

/** Starts a stack, and lets happen whatever can: work, failures, refusals, an operator's doings. */
export async function wholeRun(): Promise<WholeRun> {
  const printed: string[] = [];
  const answers: string[] = [];
  await using cleanup = new AsyncDisposableStack();
  const stack = cleanup.use(
    await startStack({
      log: (line) => printed.push(line),
      webhookSecret,
      mautic: { client: { id: "1_canary", secret: clientSecret }, secretMark: tokenMark },
      functionEnv: {
        SUPABASE_SERVICE_ROLE_KEY: legacyKey,
        MAUTIC_RETRY_DELAY_MS: "1",
        MAUTIC_REQUEST_TIMEOUT_MS: "700",
        MAUTIC_SERVER_TIME_LIMIT_MS: "0",
        MAUTIC_WORKER_LINGER_MS: "0",
      },
    }),
  );
  const { ready } = stack;
  const keep = async (response: Response) => {
    answers.push(JSON.stringify([...response.headers]), await response.text());
    return response.status;
  };
  const sync = (body: unknown, headers: Record<string, string> = { apikey: ready.secretKey }) =>
    fetch(`${ready.functionsUrl}/mautic-sync`, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
    }).then(keep);

  await leads(stack);
  await drained(stack);
  await mails(stack);
  await requests(stack, sync);
  await deliveries(stack, keep);
  await sync({ action: "reconcile_consent" });
  await stack.functionLogged("mautic-sync", (line) => line.includes("consent_reconciled"));
  await failures(stack);
  answers.push(await operate(stack));
  const outputs = await commands(stack);
  // pg_net has sent its last ring, and has heard of it.
  await holds(stack, async () => {
    const [row] = await stack.admin`select count(*)::int as n from net.http_request_queue`;
    return row?.["n"] === 0;
  });

  const secrets = [
    canary("the secret key", ready.secretKey),
    canary("the service-role key", legacyKey),
    canary("the webhook's secret", webhookSecret),
    canary("Mautic's client secret", clientSecret),
    canary("a secret that was refused", signingKey),
    canary("a token or key that Mautic made", tokenMark),
  ];
  const personal = [
    ...Object.entries(people).flatMap(([name, address]) => [
      canary(`the address ${name}`, address),
      // Also without its domain.
      canary(`the name ${name}`, address.slice(0, address.indexOf("@"))),
    ]),
    canary("the phone number", phone),
  ];
  const [file] = await stack.admin`select pg_read_file('server.log') as text`;
  const texts = {
    "the functions' log": [
      ...stack.functionLog("mautic-sync"),
      ...stack.functionLog("mautic-webhook"),
    ].join("\n"),
    "the stack's log": printed.join("\n"),
    "an HTTP answer": answers.join("\n"),
    "the Postgres log": String(file?.["text"]),
    ...outputs,
  };
  const rest = cleanup.move();
  return { stack, secrets, personal, texts, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

async function leads({ sql }: Stack): Promise<void> {
  const rows = [
    { email: people.synced, phone, first_name: "Ann" },
    { email: people.enrolled, crm_status: "qualified", marketing_opt_in: true, ml_score: 90 },
    { email: people.refused },
    { email: people.invalid },
    { email: people.unsubscribed, marketing_opt_in: false },
    { email: people.removed },
    { email: people.erased },
    { email: people.failing },
  ];
  for (const row of rows) await sql`insert into public.leads ${sql(row)}`;
}

/** What people do in Mautic: Mautic's own deliveries. */
async function mails({ mautic }: Stack): Promise<void> {
  await mautic.unsubscribe(people.synced);
  await mautic.bounce(people.enrolled, `User unknown: <${people.enrolled}>`);
}

/** Has the database keep no token, until what it returns is called. */
async function refuseTokens({ sql }: Stack): Promise<() => Promise<void>> {
  await sql.unsafe(`
    alter function mautic.store_token(text, text, uuid, text, timestamptz) rename to keep_token;
    create function mautic.store_token(
      p_origin text, p_client_id text, p_holder uuid, p_sealed text, p_expires_at timestamptz
    ) returns void language plpgsql as $$ begin raise exception 'No room for a token'; end $$;
    revoke execute on function mautic.store_token from public;
    grant execute on function mautic.store_token to service_role`);
  return async () => {
    await sql.unsafe(`
      drop function mautic.store_token;
      alter function mautic.keep_token rename to store_token`);
  };
}

/** Everything that a network, a proxy and an overloaded Mautic do. */
async function failures(stack: Stack): Promise<void> {
  const { sql, mautic } = stack;
  const kinds: FaultKind[] = [
    ...["500", "502", "503", "429", "html", "redirect", "500_after", "html_after"] as const,
    ...["cut_before", "cut_after", "hang_after"] as const,
  ];
  for (const kind of kinds) {
    const armed = mautic.failNext({ kind, match: "/contacts" });
    await sql`update public.leads set first_name = ${kind}, phone = ${phone} where email = ${people.failing}`;
    await holds(stack, async () => {
      await skipWaits(stack);
      return armed.hits() > 0;
    });
    await holds(stack, async () => {
      const rows = await sql`select from mautic.outbox where state in ('leased', 'pending')`;
      return rows.length === 0;
    });
  }
  mautic.revokeTokens();
  mautic.clearFaults();
  const keepTokens = await refuseTokens(stack);
  await sql`update public.leads set first_name = 'last' where email = ${people.failing}`;
  await holds(stack, async () => {
    await skipWaits(stack);
    const [row] = await sql`select count(*)::int as n from mautic.outbox where state <> 'dead'`;
    return row?.["n"] === 0;
  });
  await stack.functionLogged("mautic-sync", (line) => line.includes("mautic_token_not_cached"));
  await keepTokens();
  // One that stays until the end: what the outbox remembers of a person is looked at, too.
  const saves = ({ method }: { method: string }) => method === "PATCH";
  mautic.failNext({ kind: "hang_after", match: saves, times: 1_000 });
  await sql`update public.leads set first_name = 'lost', phone = ${phone} where email = ${people.failing}`;
  await holds(stack, async () => {
    const rows = await sql`select from mautic.outbox where state = 'waiting' and ambiguous`;
    return rows.length === 1;
  });
}

async function skipWaits({ sql }: Stack): Promise<void> {
  await sql`update mautic.outbox set not_before = mautic.clock() where state = 'waiting'`;
  await sql`update mautic.sending set probe_at = mautic.clock() where probe_at is not null`;
  await sql`select mautic.sweep()`;
}

type Ask = (body: unknown, headers?: Record<string, string>) => Promise<number>;

async function requests({ ready }: Stack, ask: Ask): Promise<void> {
  const lead = (email: string) => ({ id: "direct", contact: { email, phone } });
  assert.equal(await ask({ action: "ping" }), 200);
  assert.equal(await ask({ action: "ping" }, { authorization: `Bearer ${legacyKey}` }), 200);
  assert.equal(await ask({ action: "upsert_contact", payload: lead(people.direct) }), 200);
  assert.equal(await ask({ action: "upsert_contact", payload: lead(people.refused) }), 422);
  assert.equal(await ask({ action: people.direct }), 400);
  assert.equal(await ask({ action: "upsert_contact", payload: { [people.direct]: phone } }), 400);
  assert.equal(await ask({ action: "upsert_contact", payload: { id: [people.direct] } }), 400);
  assert.equal(await ask(`{"action": "${people.direct}`), 400);
  const campaign = { action: "add_to_campaign", campaignId: 999 };
  assert.equal(await ask({ ...campaign, mauticContactId: "1" }), 409);
  assert.equal(await ask({ ...campaign, mauticContactId: "999" }), 404);
  assert.equal(await ask({ action: "ping" }, { apikey: `${ready.secretKey}x` }), 401);
  assert.equal(await ask({ action: "ping" }, { authorization: `Bearer ${clientSecret}` }), 401);
  const odd = { apikey: ready.secretKey, "x-correlation-id": people.direct };
  assert.equal(await ask({ action: "ping" }, odd), 200);
}

async function deliveries(
  { ready, sql }: Stack,
  keep: (response: Response) => Promise<number>,
): Promise<void> {
  const url = `${ready.functionsUrl}/mautic-webhook`;
  const right = `?secret=${encodeURIComponent(webhookSecret)}`;
  const body = (email: string) =>
    JSON.stringify({
      "mautic.lead_channel_subscription_changed": [{
        channel: "email",
        old_status: "contactable",
        new_status: "unsubscribed",
        contact: { fields: { core: { email: { value: email }, mobile: { value: phone } } } },
      }],
    });
  // The application's own rule, whose words name the person.
  await sql.unsafe(`
    create function public.canary_rule() returns trigger language plpgsql as $$ begin
      if new.email like 'broken.%' and new.email_status is not null then
        raise exception 'No status for %', new.email;
      end if;
      return new;
    end $$;
    create trigger canary_rule before update on public.leads for each row
      execute function public.canary_rule()`);
  await sql`insert into public.leads ${sql({ email: people.broken, phone })}`;
  const post = (query: string, text: string, headers: Record<string, string> = {}) =>
    fetch(url + query, { method: "POST", body: text, headers }).then(keep);
  assert.equal(await post(right, body(people.unsubscribed)), 200);
  assert.equal(await post(right, body(people.stranger)), 200);
  assert.equal(await post(right, body(people.broken)), 200);
  assert.equal(await post(right, body(people.unsubscribed)), 200);
  const bytes = new TextEncoder().encode(body(people.stranger));
  const signature = await sign(bytes, webhookSecret);
  assert.equal(await post("", body(people.stranger), { [signatureHeader]: signature }), 200);
  assert.equal(await post(`?secret=${signingKey}`, body(people.stranger)), 401);
  assert.equal(await post(right, `${body(people.stranger)}}`), 400);
  assert.equal(await post(right, JSON.stringify({ [people.stranger]: [phone] })), 200);
}

/** What an operator does and sees in SQL, but for the rows of leads themselves. */
async function operate({ sql }: Stack): Promise<string> {
  const [removed] = await sql`select id::text from public.leads where email = ${people.removed}`;
  await sql`delete from public.leads where email = ${people.removed}`;
  await sql`delete from public.leads where email = ${people.erased}`;
  const seen = [
    await sql`select * from mautic.status`,
    await sql`select * from mautic.dead_letter`,
    await sql`select mautic.lead_history(${removed?.["id"]})`,
    await sql`select mautic.lead_history(id::text) from public.leads`,
    await sql`select mautic.replay_where(everything => true)`,
    await sql`select mautic.erase(${people.erased})`,
    await sql`select mautic.replay_webhook(id) from mautic.webhook_delivery`,
    await sql`select mautic.pause('while looking')`,
    await sql`select mautic.resume()`,
    await sql`select * from mautic.setting`,
  ];
  return JSON.stringify(seen);
}

/** What the commands print about this stack. */
async function commands({ ready }: Stack): Promise<Record<string, string>> {
  const file = await Deno.makeTempFile({ prefix: "lead-sync-" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(ready));
    return {
      "what the doctor prints": await output("cli/doctor.ts", ["--stack", file]),
      "what the status prints": await output("cli/status.ts", ["--db-url", ready.dbUrl]),
      "what set-up prints": await output("cli/setup.ts", ["--stack", file, "--dry-run"]),
    };
  } finally {
    await Deno.remove(file);
  }
}

async function output(program: string, args: string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../../${program}`, import.meta.url));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", path, ...args],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}
