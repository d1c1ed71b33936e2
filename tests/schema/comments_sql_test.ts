import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";

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
