/** Makes a bare Postgres what a Supabase project's database is before its first migration. */
import { connect } from "../../cli/connect.ts";
import type { Postgres } from "../postgres/postgres.ts";

/**
 * Runs bootstrap.sql in the database `postgres`, and installs Vault, which every Supabase project
 * has. pg_net and pg_cron are on offer only, as there: the migrations create them.
 */
export async function prepareDatabase(server: Postgres, vault: boolean): Promise<void> {
  const admin = connect(server.url("postgres", "supabase_admin"), { max: 1 });
  try {
    const bootstrap = new URL("./bootstrap.sql", import.meta.url);
    await admin.unsafe(await Deno.readTextFile(bootstrap));
    if (vault) await admin`create extension supabase_vault`;
  } finally {
    await admin.end();
  }
}

/**
 * Adds the Data API's roles to a database of somebody's own that has the extensions but is no
 * Supabase project's. Where they are, nothing is changed.
 */
export async function ensureApiRoles(url: string): Promise<void> {
  const sql = connect(url, { max: 1 });
  try {
    await sql.unsafe(`
      do $roles$
      declare
        role record;
      begin
        for role in values ('anon', ''), ('authenticated', ''), ('service_role', 'bypassrls') loop
          if not exists (select from pg_roles where rolname = role.column1) then
            execute format('create role %I nologin noinherit %s', role.column1, role.column2);
          end if;
          if not pg_has_role(current_user, role.column1, 'member') then
            execute format('grant %I to %I', role.column1, current_user);
          end if;
        end loop;
      end
      $roles$`);
  } finally {
    await sql.end();
  }
}
