import assert from "node:assert/strict";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";

const bell: StackOptions = {
  migrations: false,
  functionsFolder: new URL("./fixtures/bell/", import.meta.url),
};

/** A table of rings; a session of its own hears of each. */
async function listenForRings(stack: Stack) {
  await stack.sql.unsafe(`
    create extension pg_net;
    create extension pg_cron;
    create table ring (ring jsonb);
    create function note_ring(p_ring jsonb) returns void language sql as $$
      insert into ring values (p_ring);
      select pg_notify('ring', '')
    $$;
    create function ring_the_bell() returns bigint language sql as $$
      select net.http_post(
        url := (select decrypted_secret from vault.decrypted_secrets where name = 'mautic_sync_url'),
        body := '{"action": "drain"}',
        headers := jsonb_build_object('apikey', (
          select decrypted_secret from vault.decrypted_secrets where name = 'mautic_sync_key'
        ))
      )
    $$;
  `);
  let heard = 0;
  const waiting: (() => void)[] = [];
  await stack.sql.listen("ring", () => {
    heard++;
    waiting.splice(0).forEach((resolve) => resolve());
  });
  return async (count: number) => {
    while (heard < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
}

Deno.test("a ring in SQL reaches the function, and the function the database and its Mautic", async () => {
  await using stack = await startStack(bell);
  const rings = await listenForRings(stack);
  await stack.sql`select ring_the_bell()`;
  await rings(1);
  const [row] = await stack.sql`select ring from ring`;
  assert.deepEqual(row?.ring, {
    isOurKey: true,
    body: { action: "drain" },
    mautic: stack.mautic.url,
  });
  assert.equal(stack.ready.mauticUrl, stack.mautic.url);
  await stack.functionLogged("mautic-sync", (line) => line === "rung well");
});

Deno.test("the bell works again after a crash of Postgres and the death of the function", async () => {
  await using stack = await startStack({ ...bell, mautic: false });
  const rings = await listenForRings(stack);
  await stack.sql`select ring_the_bell()`;
  await rings(1);
  await stack.restartPostgres();
  await stack.killFunction("mautic-sync");
  assert.equal(stack.functionPid("mautic-sync"), undefined);
  // A job of cron rings: it survives the crash, where a request on its way would not.
  await stack.sql`select cron.schedule('bell', '1 seconds', 'select ring_the_bell()')`;
  await rings(2);
  assert.notEqual(stack.functionPid("mautic-sync"), undefined);
});

Deno.test("two stacks run side by side", async () => {
  await using one = await startStack({ ...bell, mautic: false });
  await using other = await startStack({ ...bell, mautic: false });
  assert.notEqual(one.ready.apiUrl, other.ready.apiUrl);
  assert.notEqual(one.ready.dbUrl, other.ready.dbUrl);
});

Deno.test("a stack on a database of one's own installs no stand-ins and writes the Vault secrets", async () => {
  await using host = await startStack({ ...bell, mautic: false });
  await host.sql.unsafe("create extension pg_net");
  await using guest = await startStack({
    ...bell,
    mautic: { baseUrl: "http://127.0.0.1:9", clientId: "id", clientSecret: "secret" },
    databaseUrl: host.ready.dbUrl,
    publicHost: "localhost",
  });
  assert.equal(guest.ready.mauticUrl, "http://127.0.0.1:9");
  assert.throws(() => guest.mautic, /without the Mautic emulator/);
  const [secret] = await guest.sql`
    select decrypted_secret from vault.decrypted_secrets where name = 'mautic_sync_url'
  `;
  assert.equal(secret?.decrypted_secret, `${guest.ready.functionsUrl}/mautic-sync`);
  assert.match(guest.ready.functionsUrl, /^http:\/\/localhost:\d+\/functions\/v1$/);
});
