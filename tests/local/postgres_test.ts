import assert from "node:assert/strict";
import { startPostgres } from "../../local/postgres/postgres.ts";
import { connect } from "../../cli/connect.ts";
import { prepareDatabase } from "../../local/supabase/database.ts";

async function isGone(port: number): Promise<boolean> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
  connection?.close();
  return connection === undefined;
}

Deno.test("crash() keeps what was committed and empties unlogged tables", async () => {
  const server = await startPostgres();
  try {
    const sql = connect(server.url("postgres", "supabase_admin"));
    await sql`create table logged as select 1 as n`;
    await sql`create unlogged table unlogged as select 1 as n`;
    await sql.end();
    await server.crash();
    const again = connect(server.url("postgres", "supabase_admin"));
    const [counts] = await again`
      select
        (select count(*)::int from logged) as logged,
        (select count(*)::int from unlogged) as unlogged
    `;
    await again.end();
    assert.deepEqual({ ...counts }, { logged: 1, unlogged: 0 });
  } finally {
    await server.stop();
  }
});

Deno.test("two servers run side by side, also on one wanted port", async () => {
  const one = await startPostgres();
  try {
    const other = await startPostgres({ port: one.port });
    assert.notEqual(one.port, other.port);
    await other.stop();
    assert.ok(await isGone(other.port));
    assert.ok(!(await isGone(one.port)));
  } finally {
    await one.stop();
  }
});

Deno.test("a server that does not start says why and leaves nothing behind", async () => {
  // Inside, because the name of the folder is the server's own choice.
  const parent = await Deno.makeTempDir();
  await Deno.chmod(parent, 0o755);
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", parent);
  try {
    const wrong = { settings: { max_connections: "many" } };
    await assert.rejects(startPostgres(wrong), /max_connections/);
    assert.deepEqual([...Deno.readDirSync(parent)], []);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    await Deno.remove(parent);
  }
});

Deno.test("a prepared database has Supabase's roles and offers its extensions", async () => {
  const server = await startPostgres();
  try {
    await prepareDatabase(server, true);
    const sql = connect(server.url());
    const roles = await sql`
      select rolname as name, rolsuper as superuser, rolbypassrls as bypasses
      from pg_roles
      where rolname in ('anon', 'authenticated', 'authenticator', 'postgres', 'service_role')
      order by rolname
    `;
    assert.deepEqual(roles.map((row) => ({ ...row })), [
      { name: "anon", superuser: false, bypasses: false },
      { name: "authenticated", superuser: false, bypasses: false },
      { name: "authenticator", superuser: false, bypasses: false },
      { name: "postgres", superuser: false, bypasses: true },
      { name: "service_role", superuser: false, bypasses: true },
    ]);
    await sql`create extension pg_net`;
    await sql`create extension pg_cron`;
    const [names] = await sql`
      select
        to_regprocedure('net.http_post(text,jsonb,jsonb,jsonb,integer)') is not null as post,
        to_regprocedure('cron.schedule(text,text,text)') is not null as schedule,
        to_regclass('vault.decrypted_secrets') is not null as vault
    `;
    assert.deepEqual({ ...names }, { post: true, schedule: true, vault: true });
    await sql.end();
  } finally {
    await server.stop();
  }
});

Deno.test("Vault keeps a secret under its name and shows it decrypted only in its view", async () => {
  const server = await startPostgres();
  try {
    await prepareDatabase(server, true);
    const sql = connect(server.url());
    const [made] = await sql`select vault.create_secret('hush', 'name', 'what it is for') as id`;
    await sql`select vault.update_secret(${made?.id}, 'hush hush')`;
    const [row] = await sql`select name, description, secret, decrypted_secret
      from vault.decrypted_secrets`;
    assert.equal(row?.decrypted_secret, "hush hush");
    assert.equal(row?.description, "what it is for");
    assert.doesNotMatch(row?.secret, /hush/);
    await sql.end();
  } finally {
    await server.stop();
  }
});
