import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { type Caller, misplaced, wrongCallers } from "./callers.ts";
import { findings } from "./catalogue.ts";
import { contents, startProject } from "./project.ts";

interface Routine {
  name: string;
  arguments: string[];
  granted: boolean;
  trigger: boolean;
}
/** What a caller shows of himself. */
type Shown = Pick<Caller, "headers" | "query">;
interface Relation {
  schema: string;
  name: string;
}

Deno.test("the Data API calls no SQL function and shows no row of ours to the wrong caller", async () => {
  await using project = await startProject();
  // @supabase/lite prints each refusal of Postgres.
  using _quiet = replaced(console, "error", () => {});
  const { sql, url, keys } = project;
  await insertLead(sql, "lead@example.test", { phone: "+15550100" });
  const routines = await sql<Routine[]>`
    select p.proname as name, coalesce(p.proargnames[1:p.pronargs], '{}') as arguments,
      has_function_privilege('service_role', p.oid, 'execute') as granted,
      p.prorettype = 'trigger'::regtype as trigger
    from pg_proc p where p.pronamespace = 'mautic'::regnamespace order by 1`;
  const relations = await sql<Relation[]>`
    select n.nspname as schema, c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('mautic', 'public') and c.relkind in ('r', 'p', 'v', 'm', 'f')`;
  assert.ok(routines.length > 50 && relations.length > 10);
  const before = await contents(sql);

  const call = async ({ headers, query = "" }: Shown, { name, arguments: names }: Routine) => {
    const response = await fetch(`${url}/rest/v1/rpc/${name}?${query}`, {
      method: "POST",
      headers: { ...headers, "content-profile": "mautic", "content-type": "application/json" },
      body: JSON.stringify(Object.fromEntries(names.map((each) => [each, null]))),
    });
    const answer = JSON.parse(await response.text() || "null");
    return { status: response.status, code: answer?.code };
  };
  const touch = async (
    { headers, query = "" }: Shown,
    { schema, name }: Relation,
    method: string,
  ) => {
    const profiles = { "accept-profile": schema, "content-profile": schema };
    const response = await fetch(`${url}/rest/v1/${name}?limit=10&${query}`, {
      method,
      headers: {
        ...headers,
        ...profiles,
        "content-type": "application/json",
        prefer: "return=representation",
      },
      ...(method === "GET" ? {} : { body: JSON.stringify({ id: 1, email: "x@example.test" }) }),
    });
    return { status: response.status, text: await response.text() };
  };

  const callers = [
    ...await wrongCallers(keys),
    ...misplaced("the webhook's secret", project.webhookSecret, keys),
    ...misplaced("Mautic's client secret", project.mautic.clientSecret, keys),
  ];
  for (const caller of callers) {
    const { name, role } = caller;
    const refusal = { anon: [401, "42501"], authenticated: [403, "42501"] };
    for (const routine of routines) {
      const { status, code } = await call(caller, routine);
      const about = `${routine.name} by ${name}`;
      if (role === null) assert.equal(status, 401, about);
      else assert.deepEqual([status, code], refusal[role], about);
    }
    for (const relation of relations) {
      for (const method of ["GET", "POST", "PATCH", "DELETE"]) {
        const { status, text } = await touch(caller, relation, method);
        const about = `${method} ${relation.schema}.${relation.name} by ${name}: ${status} ${text}`;
        if (role === null) assert.equal(status, 401, about);
        assert.ok(status >= 400 || ["", "[]"].includes(text), about);
      }
    }
  }
  assert.equal(await contents(sql), before);

  // What an edge function may do, and what only an operator may.
  const service = { headers: { apikey: keys.secret } };
  for (const routine of routines.filter(({ granted, trigger }) => !granted && !trigger)) {
    const { status, code } = await call(service, routine);
    assert.deepEqual([status, code], [403, "42501"], `${routine.name} by service_role`);
  }
  assert.equal(await contents(sql), before);
  const [health] = routines.filter(({ name }) => name === "read_status");
  assert.ok(health);
  assert.equal((await call(service, health)).status, 200);
  const shown = await touch(service, { schema: "public", name: "leads" }, "GET");
  assert.match(shown.text, /lead@example\.test/);
  assert.deepEqual(await findings(sql), [], "the Data API itself opened nothing");
});

/** Puts something in place of a method until the end of the block. */
function replaced(target: object, name: string, value: unknown): Disposable {
  const before: unknown = Reflect.get(target, name);
  Reflect.set(target, name, value);
  return { [Symbol.dispose]: () => Reflect.set(target, name, before) };
}
