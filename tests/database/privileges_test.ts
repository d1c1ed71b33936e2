import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";

Deno.test("row level security is on for every table of schema mautic, and for ours in public", async () => {
  await using db = await testDatabase();
  const open = await db.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind in ('r', 'p') and not c.relrowsecurity
      and (c.relnamespace = 'mautic'::regnamespace or c.oid in ('public.leads'::regclass, 'public.lead_activity'::regclass))`;
  assert.deepEqual([...open], []);
});

Deno.test("anon and authenticated can neither enter schema mautic nor touch anything in it", async () => {
  await using db = await testDatabase();
  for (const role of ["anon", "authenticated", "public"]) {
    const rights = await db.sql<{ what: string }[]>`
      select 'usage' as what where ${role} <> 'public' and has_schema_privilege(${
      role === "public" ? "anon" : role
    }, 'mautic', 'usage')
      union all
      select p.oid::regprocedure::text from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where p.pronamespace = 'mautic'::regnamespace and a.privilege_type = 'EXECUTE'
        and a.grantee = (case when ${role} = 'public' then 0 else (select oid from pg_roles where rolname = ${role}) end)
      union all
      select c.oid::regclass::text from pg_class c, aclexplode(c.relacl) a
      where c.relnamespace = 'mautic'::regnamespace
        and a.grantee = (case when ${role} = 'public' then 0 else (select oid from pg_roles where rolname = ${role}) end)`;
    assert.deepEqual(rights.map((right) => right.what), [], role);
  }
});

Deno.test("service_role may call functions of schema mautic and read none of its tables", async () => {
  await using db = await testDatabase();
  const tables = await db.sql`
    select c.oid::regclass::text from pg_class c
    where c.relnamespace = 'mautic'::regnamespace and c.relkind in ('r', 'v')
      and has_table_privilege('service_role', c.oid, 'select, insert, update, delete')`;
  assert.deepEqual([...tables], []);
});

Deno.test("every security definer function of schema mautic has an empty search path", async () => {
  await using db = await testDatabase();
  const unsafe = await db.sql<{ name: string }[]>`
    select p.oid::regprocedure::text as name from pg_proc p
    where p.pronamespace = 'mautic'::regnamespace and p.prosecdef
      and not coalesce('search_path=""' = any (p.proconfig), false)`;
  assert.deepEqual(unsafe.map((row) => row.name), []);
});

Deno.test("every table and every function that others call is explained where Studio shows it", async () => {
  await using db = await testDatabase();
  const silent = await db.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relnamespace = 'mautic'::regnamespace and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null
    union all
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = 'mautic'::regnamespace and has_function_privilege('service_role', p.oid, 'execute')
      and obj_description(p.oid, 'pg_proc') is null`;
  assert.deepEqual(silent.map((row) => row.name), []);
});
