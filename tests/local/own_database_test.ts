import assert from "node:assert/strict";
import { startPostgres } from "../../local/postgres/postgres.ts";
import { connect } from "../../cli/connect.ts";
import { ensureApiRoles } from "../../local/supabase/database.ts";

Deno.test("a database of one's own gets the Data API's roles where it has none, and keeps those it has", async () => {
  const server = await startPostgres({});
  const admin = connect(server.url("postgres", "supabase_admin"), { max: 1 });
  try {
    await admin`create role anon login`;
    await ensureApiRoles(server.url("postgres", "supabase_admin"));
    await ensureApiRoles(server.url("postgres", "supabase_admin"));
    const roles = await admin<{ rolname: string; rolcanlogin: boolean; rolbypassrls: boolean }[]>`
      select rolname, rolcanlogin, rolbypassrls from pg_roles
      where rolname in ('anon', 'authenticated', 'service_role') order by rolname`;
    assert.deepEqual([...roles], [
      { rolname: "anon", rolcanlogin: true, rolbypassrls: false },
      { rolname: "authenticated", rolcanlogin: false, rolbypassrls: false },
      { rolname: "service_role", rolcanlogin: false, rolbypassrls: true },
    ]);
    await admin`set role service_role`;
  } finally {
    await admin.end();
    await server.stop();
  }
});
