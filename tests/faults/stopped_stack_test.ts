import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startMauticEmulator } from "../../local/mautic/emulator.ts";
import { startPgCron } from "../../local/supabase/stand_ins/pg_cron_runner.ts";
import { startPgNet } from "../../local/supabase/stand_ins/pg_net_worker.ts";
import { startPostgres } from "../../local/postgres/postgres.ts";
import { connect } from "../../cli/connect.ts";
import { prepareDatabase } from "../../local/supabase/database.ts";
import { until } from "../../local/process/daemon.ts";
import { hasty } from "./fault_stack.ts";
import { slowBatches } from "./slow_batches.ts";

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url));

/** `deno task start` on a database that outlives it, up to its ready line. */
async function startProcess(env: Record<string, string>): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", start],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (text.includes("ready")) return child;
  }
  throw new Error("The stack did not start");
}

Deno.test("a stack that is stopped in the middle of its work finishes it when it is started again", async () => {
  await using cleanup = new AsyncDisposableStack();
  const server = await startPostgres();
  cleanup.defer(server.stop);
  await prepareDatabase(server, true);
  const adminUrl = server.url("postgres", "supabase_admin");
  const sql = connect(server.url());
  cleanup.defer(() => sql.end({ timeout: 1 }));
  const mautic = cleanup.use(await startMauticEmulator({ latency: slowBatches() }));
  const env = {
    ...hasty,
    LOCAL_DATABASE_URL: server.url(),
    MAUTIC_BASE_URL: mautic.url,
    MAUTIC_CLIENT_ID: mautic.clientId,
    MAUTIC_CLIENT_SECRET: mautic.clientSecret,
  };
  const holds = (what: string, condition: () => Promise<boolean>) =>
    until(condition, 60_000, () => Promise.resolve(`Waited in vain for ${what}`));

  let child = await startProcess(env);
  const pgNet = await startPgNet(adminUrl);
  cleanup.defer(pgNet.stop);
  cleanup.defer(startPgCron(adminUrl).stop);
  await sql`select cron.schedule('mautic-sweep', '1 second', 'select mautic.sweep()')`;
  for (let round = 1; round <= 2; round++) {
    await sql`
      insert into public.leads (email)
      select 's' || ${round}::text || '-' || i || '@example.test' from generate_series(1, 150) i`;
    await mautic.waitForStart(({ path }) => path.includes("/batch/new"));
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 0);
    const [row] = await sql<{ n: number }[]>`select count(*)::int as n from mautic.outbox`;
    assert.ok((row?.n ?? 0) > 0, "it was stopped in the middle");
    child = await startProcess(env);
  }
  await holds("the outbox to drain", async () => {
    const [row] = await sql<{ open: boolean }[]>`
      select exists (select from mautic.lead_change) or exists (select from mautic.outbox) as open`;
    return row?.open === false;
  });
  await holds("the workers to go", async () => {
    const [row] = await sql<{ live: boolean }[]>`
      select exists (select from mautic.worker where lease_expires_at > mautic.clock()) as live`;
    return row?.live === false;
  });
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 0);
  assert.equal(mautic.contacts.size, 300);
  assert.equal(mautic.contactsCreated(), 300);
  assert.deepEqual(mautic.duplicateEmails(), []);
  assert.deepEqual(mautic.overlappingWrites(), []);
  const unlinked = await sql`
    select from public.leads l
    where not exists (select from mautic.contact_link k where k.lead_id = l.id::text)`;
  assert.equal(unlinked.length, 0);
});
