import assert from "node:assert/strict";
import { createTestDatabase } from "../../dev/test_database.ts";

Deno.test("createTestDatabase() gives a migrated database to a role that is no superuser", async () => {
  await using database = await createTestDatabase();
  const [role] = await database.sql`
    select current_user as name, rolsuper as superuser from pg_roles where rolname = current_user
  `;
  assert.deepEqual({ ...role }, { name: "postgres", superuser: false });
  await database.sql`insert into public.leads (email) values ('anna@example.com')`;
});

Deno.test("createTestDatabase() gives each test a database of its own", async () => {
  await using one = await createTestDatabase();
  await using other = await createTestDatabase();
  await one.sql`insert into public.leads (email) values ('anna@example.com')`;
  const rows = await other.sql`select from public.leads`;
  assert.equal(rows.length, 0);
});

Deno.test("createTestDatabase() without stand-ins is a Postgres that has no pg_net", async () => {
  await using database = await createTestDatabase({ standIns: false });
  const [found] = await database.sql`
    select count(*)::int as extensions from pg_available_extensions
    where name in ('pg_net', 'pg_cron', 'supabase_vault')
  `;
  assert.equal(found?.extensions, 0);
});
