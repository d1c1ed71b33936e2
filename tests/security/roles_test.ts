import assert from "node:assert/strict";
import type { ReservedSql } from "postgres";
import { insertLead } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

/** The SQLSTATE with which a role's statement fails; null: it went through. Nothing stays. */
async function attempt(
  session: ReservedSql,
  role: string,
  statement: string,
): Promise<string | null> {
  await session`begin`;
  try {
    await session.unsafe(`set local role ${role}`);
    await session.unsafe(statement);
    return null;
  } catch (error) {
    return error instanceof Error ? String(Reflect.get(error, "code")) : String(error);
  } finally {
    await session`rollback`;
  }
}

const denied = "42501";

Deno.test("in Postgres itself the public roles do nothing in schema mautic, service_role what it was given", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "lead@example.test");
  const routines = await db.sql<{ call: string; granted: boolean }[]>`
    select
      format('select %s(%s)', p.oid::regproc, (
        select string_agg(format('null::%s', format_type(t, null)), ', ' order by place)
        from unnest(p.proargtypes) with ordinality as a(t, place))) as call,
      has_function_privilege('service_role', p.oid, 'execute') as granted
    from pg_proc p where p.pronamespace = 'mautic'::regnamespace and p.prokind = 'f'`;
  const relations = await db.sql<{ name: string; kind: string; column: string }[]>`
    select c.oid::regclass::text as name, c.relkind as kind, (
      select quote_ident(a.attname) from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped limit 1) as column
    from pg_class c
    where c.relnamespace = 'mautic'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')`;
  assert.ok(routines.length > 50 && relations.length > 20);

  const session = await db.sql.reserve();
  try {
    for (const role of ["anon", "authenticated", "service_role"]) {
      for (const { call, granted } of routines) {
        const outcome = await attempt(session, role, call);
        const may = role === "service_role" && granted;
        assert.equal(outcome === denied, !may, `${call} by ${role}: ${outcome}`);
      }
      for (const { name, kind, column } of relations) {
        const statements = [`select * from ${name}`];
        if (kind === "S") statements.push(`select nextval('${name}')`);
        if (kind === "r") {
          statements.push(
            `insert into ${name} default values`,
            `update ${name} set ${column} = default`,
            `delete from ${name}`,
            `truncate ${name}`,
            `lock table ${name}`,
          );
        }
        for (const statement of statements) {
          assert.equal(await attempt(session, role, statement), denied, `${statement} by ${role}`);
        }
      }
      for (const statement of ["create table mautic.x (id int)", "drop schema mautic cascade"]) {
        assert.equal(await attempt(session, role, statement), denied, `${statement} by ${role}`);
      }
    }
    for (const role of ["anon", "authenticated"]) {
      const count = (table: string) =>
        `do $$ begin
        if exists (select from ${table}) then raise exception 'seen' using errcode = 'P0S33'; end if;
      end $$`;
      assert.equal(await attempt(session, role, count("public.leads")), null);
      assert.equal(await attempt(session, role, count("public.lead_activity")), null);
      assert.equal(await attempt(session, role, "truncate public.leads"), denied);
      assert.equal(await attempt(session, role, "truncate public.lead_activity"), denied);
      const inserted = await attempt(
        session,
        role,
        "insert into public.leads (email) values ('x')",
      );
      assert.equal(inserted, denied);
    }
    assert.equal(await attempt(session, "service_role", "select email from public.leads"), null);
  } finally {
    session.release();
  }
});
