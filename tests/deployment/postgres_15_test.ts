import assert from "node:assert/strict";
import { migrate } from "../../local/supabase/migrate.ts";
import { startPostgres } from "../../local/postgres/postgres.ts";
import { connect } from "../../cli/connect.ts";
import { prepareDatabase } from "../../local/supabase/database.ts";
import { claim, insertLead, outbox, settle, startWorker } from "../support/leads.ts";

// `deno task ok` runs all database tests on 15.
Deno.test("the migrations hold on Postgres 15, and a lead goes from insert to settled", async () => {
  await using cleanup = new AsyncDisposableStack();
  const server = await startPostgres({ major: 15 });
  cleanup.defer(server.stop);
  await prepareDatabase(server, true);
  await migrate({ databaseUrl: server.url() });
  const sql = connect(server.url());
  cleanup.defer(() => sql.end());
  const [version] = await sql<{ major: number }[]>`
    select current_setting('server_version_num')::int / 10000 as major`;
  assert.equal(version?.major, 15);

  const email = "vera@example.test";
  const leadId = await insertLead(sql, email);
  const worker = await startWorker(sql);
  const taken = await claim(sql, worker);
  assert.deepEqual(taken.items.map((item) => [item.lead_id, item.operation]), [[leadId, "create"]]);
  const outcome = { lead_id: leadId, result: "done", contact_id: 1, address: email };
  const { settled } = await settle(sql, taken.lease_token, [outcome]);
  assert.equal(settled, 1);
  assert.deepEqual(await outbox(sql), []);

  await sql`update public.leads set first_name = 'Vera' where id = ${leadId}`;
  const again = await claim(sql, worker);
  assert.deepEqual(again.items.map((item) => [item.operation, item.contact_id]), [["edit", 1]]);
});
