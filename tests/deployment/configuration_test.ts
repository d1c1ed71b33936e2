import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { pushConfig, setSecrets } from "../../dev/rehearsal/deploy.ts";
import { startManagementApi } from "../../dev/rehearsal/management_api.ts";
import { projectFolder, runSupabase } from "../../local/supabase/supabase_cli.ts";
import { createTestDatabase } from "../../dev/test_database.ts";
import { readSyncSettings } from "shared/settings/sync.ts";

Deno.test("`supabase config push` offers schema mautic in the Data API, and changes nothing else", async () => {
  await using api = await startManagementApi();
  const before = { ...api.dataApi };
  const output = await pushConfig(api);
  // The CLI warns of keys it does not know.
  assert.doesNotMatch(output, /warn/i);
  assert.deepEqual(api.dataApi, { ...before, db_schema: "public,graphql_public,mautic" });
  assert.deepEqual(api.unexpected, []);
});

Deno.test("`supabase config push` leaves a project its own settings, but for the list of schemas", async () => {
  await using api = await startManagementApi();
  const own = { db_schema: "public,api", db_extra_search_path: "public,gis", max_rows: 5_000 };
  Object.assign(api.dataApi, own);
  await pushConfig(api);
  assert.deepEqual(api.dataApi, {
    ...api.dataApi,
    ...own,
    db_schema: "public,graphql_public,mautic",
  });
});

Deno.test("`supabase secrets set` takes the example file, and the functions take what arrives", async () => {
  await using api = await startManagementApi();
  const example = new URL("../../supabase/functions/.env.example", import.meta.url);
  const given: Record<string, string> = {
    MAUTIC_BASE_URL: "https://mautic.example.test",
    MAUTIC_CLIENT_ID: "1_client",
    MAUTIC_CLIENT_SECRET: "secret",
    MAUTIC_CAMPAIGN_HIGH_VALUE: "3",
    MAUTIC_WEBHOOK_SECRET: "0123456789abcdef0123456789abcdef",
  };
  const withDefaults = (await Deno.readTextFile(example))
    .replace(/^# (?=MAUTIC_\w+=)/gm, "")
    .replace(/^(MAUTIC_\w+)=$/gm, (line, name) => given[name] ? `${name}=${given[name]}` : line);
  const envFile = await Deno.makeTempFile({ prefix: "lead-sync-", suffix: ".env" });
  try {
    await Deno.writeTextFile(envFile, withDefaults);
    await setSecrets(api, envFile);
  } finally {
    await Deno.remove(envFile);
  }
  const settings = readSyncSettings(api.secrets);
  assert.equal(settings.mode, "live", JSON.stringify(settings));
  const defaults = readSyncSettings(given);
  assert.deepEqual(settings, defaults, "the example shows the defaults");
});

Deno.test("`supabase db push` applies the migrations and tells Vault where the bell is", async () => {
  await using database = await createTestDatabase({ migrations: false });
  const { success, stdout, stderr } = await runSupabase(
    ["db", "push", "--yes", `--remote=${database.url}`],
    {
      env: { MAUTIC_SYNC_URL: "https://project.test/mautic-sync", MAUTIC_SYNC_KEY: "sb_secret_x" },
    },
  );
  assert.ok(success, `${stderr}\n${stdout}`);
  const secrets = await database.sql`
    select name, decrypted_secret as secret from vault.decrypted_secrets order by name`;
  assert.deepEqual([...secrets], [
    { name: "mautic_sync_key", secret: "sb_secret_x" },
    { name: "mautic_sync_url", secret: "https://project.test/mautic-sync" },
  ]);
  const [table] = await database.sql`select to_regclass('mautic.outbox') is not null as there`;
  assert.equal(table?.there, true);
});

Deno.test("a project with migrations of its own gets ours as the deployment page says", async () => {
  await using database = await createTestDatabase({ migrations: false });
  await database.sql.unsafe(`
    create schema supabase_migrations;
    create table supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text);
    insert into supabase_migrations.schema_migrations values
      ('20240101000000', '{create table public.theirs (id int);}', 'theirs'),
      ('20290101000000', '{alter table public.theirs add column more int;}', 'newer');
    create table public.theirs (id int, more int)`);
  const workdir = await Deno.makeTempDir({ prefix: "lead-sync-" });
  try {
    await cp(`${projectFolder}/supabase`, `${workdir}/supabase`, { recursive: true });
    const run = (...args: string[]) =>
      runSupabase([...args, "--yes", `--db-url=${database.url}`], { workdir });
    assert.equal((await run("db", "push")).success, false);
    for (const args of [["migration", "fetch"], ["db", "push", "--include-all"]]) {
      const { success, stdout, stderr } = await run(...args);
      assert.ok(success, `${args.join(" ")}: ${stderr}\n${stdout}`);
    }
  } finally {
    await Deno.remove(workdir, { recursive: true });
  }
  const [found] = await database.sql`
    select to_regclass('mautic.outbox') is not null as there,
      (select count(*)::int from supabase_migrations.schema_migrations where version like '202_0101%') as theirs`;
  assert.deepEqual({ ...found }, { there: true, theirs: 2 });
});
