import assert from "node:assert/strict";
import { pushConfig, setSecrets } from "../../local/deploy.ts";
import { startManagementApi } from "../../local/management_api.ts";
import { runSupabase } from "../../local/supabase_cli.ts";
import { createTestDatabase } from "../../local/test_database.ts";
import { readSyncSettings } from "../../shared/settings.ts";

Deno.test("`supabase config push` offers schema mautic in the Data API, and changes nothing else", async () => {
  await using api = await startManagementApi();
  const before = { ...api.dataApi };
  const output = await pushConfig(api);
  // The CLI warns of keys it does not know.
  assert.doesNotMatch(output, /warn/i);
  assert.deepEqual(api.dataApi, { ...before, db_schema: "public,graphql_public,mautic" });
  assert.deepEqual(api.unexpected, []);
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
