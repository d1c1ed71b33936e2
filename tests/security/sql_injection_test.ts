import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import { startProject } from "./project.ts";

/** Texts that would be more than a text, were one of them written into a statement. */
const nasty = [
  "'; drop table public.leads cascade; --",
  "' or 1=1 --",
  "x'); delete from public.leads; --",
  '"; drop schema mautic cascade; --',
  "\\'; select 1/0; --",
  "$$; select 1/0; $$",
  "$body$ || pg_sleep(9) || $body$",
  "%s %I %L %1$s %%",
  "{a,b}; select 1/0",
  '{"a": "\'; select 1/0; --"}',
  "1; select 1/0",
  "mautic.outbox",
  "pg_sleep(9)",
  "' union select decrypted_secret from vault.decrypted_secrets --",
  "/* */ U&'\\0027' ::regclass",
];

interface Routine {
  id: string;
  call: string;
  types: string[];
  /** Runs with the rights of who calls it, and only its owner may: attach and what it is made of. */
  is_owners: boolean;
}

Deno.test("no text or JSON given to any SQL function becomes a part of a statement", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  await insertLead(sql, "lead@example.test");
  const routines = await sql<Routine[]>`
    select p.oid::regprocedure::text as id, p.oid::regproc::text as call,
      array(select format_type(t, null) from unnest(p.proargtypes) with ordinality as a(t, place)
        order by place) as types,
      not p.prosecdef and not has_function_privilege('service_role', p.oid, 'execute') as is_owners
    from pg_proc p
    where p.pronamespace = 'mautic'::regnamespace and p.prokind = 'f'
      and p.prorettype <> 'trigger'::regtype`;
  const texts = ["text", "text[]", "jsonb"];
  const taking = routines.filter(({ types }) => types.some((type) => texts.includes(type)));
  assert.ok(taking.length > 40);
  const others: Record<string, string> = {
    "uuid": "gen_random_uuid()",
    "integer": "1",
    "bigint": "1",
    "boolean": "true",
    "timestamp with time zone": "now()",
    "bigint[]": "'{1}'",
    "timestamp with time zone[]": "array[now()]",
  };
  const state = () =>
    sql`select
      (select count(*)::int from pg_class) as relations,
      (select count(*)::int from pg_proc) as routines,
      (select count(*)::int from public.leads) as leads,
      (select count(*)::int from vault.secrets) as secrets`;
  const before = await state();

  const codes = new Set<string>();
  const session = await sql.reserve();
  try {
    await session`set statement_timeout = '3s'`;
    for (const { id, call, types, is_owners } of taking) {
      for (const text of nasty) {
        const literal = `'${text.replaceAll("'", "''")}'`;
        const json = JSON.stringify([{ lead_id: text, result: text, address: text, [text]: text }]);
        const values: Record<string, string> = {
          "text": literal,
          "text[]": `array[${literal}, ${literal}]`,
          "jsonb": `'${json.replaceAll("'", "''")}'::jsonb`,
        };
        const given = types.map((type) => values[type] ?? others[type] ?? `null::${type}`);
        await session`begin`;
        const code = await session.unsafe(`select ${call}(${given.join(", ")})`)
          .then(() => "00000", (error: unknown) => String(Reflect.get(Object(error), "code")));
        await session`rollback`;
        codes.add(code);
        // 42…: a statement that was not understood, which an expression given to attach may be;
        // 22012: 1/0; 57014: it slept.
        const broke = (/^42/.test(code) && !is_owners) ||
          ["22012", "57014", "XX000"].includes(code);
        assert.ok(!broke, `${id} with ${text}: ${code}`);
      }
    }
  } finally {
    session.release();
  }
  assert.ok(codes.has("00000") && codes.size > 1, [...codes].join());
  assert.deepEqual(await state(), before);
});

Deno.test("statements that a function with its owner's rights puts together hold names of its own and parameters only", async () => {
  await using db = await testDatabase();
  const sources = await db.sql<{ id: string; source: string }[]>`
    select p.oid::regprocedure::text as id, p.prosrc as source from pg_proc p
    where p.pronamespace = 'mautic'::regnamespace and p.prosrc ~* '\\mexecute\\M'
      -- Those write what attach stored: expressions as Postgres printed them, names as it quoted them.
      and p.prosecdef`;
  const found = sources.flatMap(({ id, source }) => {
    const code = source.replace(/--.*$/gm, "");
    return [...code.matchAll(/\bexecute\b([\s\S]*?);/gi)].map(([, statement = ""]) => ({
      id,
      statement,
    }));
  });
  assert.ok(found.length >= 6);
  for (const { id, statement } of found) {
    assert.doesNotMatch(statement, /\|\||%s|%\d*\$?s|concat|quote_/i, `${id}: ${statement}`);
    const isLiteral = /^\s*('|\$\w*\$)/.test(statement);
    assert.ok(isLiteral || /^\s*format\(/.test(statement), `${id}: ${statement}`);
  }
});

Deno.test("leads, ids, deliveries and settings hold such texts, and nothing happens", async () => {
  await using sync = await startSync();
  for (const [index, text] of nasty.entries()) {
    await insertLead(sync.sql, `p${index}@example.test`, {
      first_name: text,
      last_name: text,
      crm_status: text,
      utm_source: text,
    });
    const payload = { id: text, contact: { email: `q${index}@example.test`, company: text } };
    const { status } = await sync.call({ action: "upsert_contact", payload });
    assert.equal(status, 200, text);
  }
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 2 * nasty.length);
  const saved = [...sync.mautic.contacts.values()].map(({ values }) => values.get("firstname"));
  for (const text of nasty) assert.ok(saved.includes(text), `${text} arrived as it is`);
  const links = await sync.sql`select lead_id as id from mautic.contact_link`;
  for (const text of nasty) assert.ok(links.some(({ id }) => id === text.trim()), text);
  for (const text of nasty) {
    await assert.rejects(sync.sql`select mautic.set(${text}, ${text})`);
    await assert.rejects(sync.sql`select mautic.set('history_days', ${text})`);
    await sync.sql`select mautic.replay(${text})`;
    await sync.sql`select mautic.replay_where(crm_status => array[${text}])`;
    await sync.sql`select mautic.lead_history(${text})`;
    await sync.sql`select mautic.pause(${text}), mautic.resume()`;
  }
  const [row] = await sync.sql`select count(*)::int as n from public.leads`;
  assert.equal(row?.["n"], nasty.length);
});

Deno.test("the Data API takes no filter, name or column for a statement", async () => {
  await using project = await startProject();
  await insertLead(project.sql, "lead@example.test");
  const headers = { apikey: project.keys.secret, "content-profile": "mautic" };
  for (const text of nasty) {
    const name = encodeURIComponent(text);
    const paths = [`rpc/${name}`, `leads?email=eq.${name}`, `rpc/has_work?${name}=1`];
    for (const path of paths) {
      const response = await fetch(`${project.url}/rest/v1/${path}`, {
        method: path.startsWith("rpc") ? "POST" : "GET",
        headers: path.startsWith("rpc") ? headers : { apikey: project.keys.secret },
        ...(path.startsWith("rpc") ? { body: JSON.stringify({ [text]: text }) } : {}),
      });
      const answer = await response.text();
      assert.ok([200, 400, 404].includes(response.status), `${path}: ${response.status} ${answer}`);
      assert.doesNotMatch(answer, /syntax error|sb_secret|lead@example/, path);
    }
    const delivery = await fetch(
      `${project.url}/functions/v1/mautic-webhook?secret=${project.webhookSecret}`,
      {
        method: "POST",
        headers: { "x-origin-base-url": "https://mautic.example.test" },
        body: JSON.stringify({
          "mautic.lead_channel_subscription_changed": [{
            channel: "email",
            old_status: text,
            new_status: "unsubscribed",
            comments: text,
            contact: { id: 5, fields: { core: { email: { value: text } } } },
          }],
        }),
      },
    );
    assert.equal(delivery.status, 200, await delivery.text());
  }
  const [row] = await project.sql`
    select (select count(*)::int from public.leads) as leads,
      (select count(*)::int from mautic.webhook_delivery) as deliveries`;
  assert.deepEqual({ ...row }, { leads: 1, deliveries: nasty.length });
});
