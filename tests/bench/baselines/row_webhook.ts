/**
 * Baseline (a): a database webhook for each row, and an edge function that searches and saves one
 * lead a call, with the token kept and with a bound on how many it has at Mautic at once.
 */
import {
  type Contender,
  insertLeads,
  pgNetRequests,
  startLoadStack,
  warmUp,
} from "../load/contender.ts";
import { baselineFunctions, createLeadsTable, readSql } from "./plain_stack.ts";

/** The longest timeout that the dashboard takes, in milliseconds. */
const timeoutMs = 10_000;

export async function startRowWebhook(concurrency: number): Promise<Contender> {
  const { stack, arrivals } = await startLoadStack({
    migrations: false,
    functionsFolder: baselineFunctions,
    functionEnv: { LEAD_WEBHOOK_CONCURRENCY: String(concurrency) },
  });
  await createLeadsTable(stack.sql);
  await stack.sql.unsafe(await readSql("row_webhook.sql"));
  const headers = JSON.stringify({
    "Content-Type": "application/json",
    apikey: stack.ready.secretKey,
  });
  await stack.sql.unsafe(`
    create trigger lead_webhook after insert or update on public.leads
    for each row execute function supabase_functions.http_request(
      '${stack.ready.functionsUrl}/lead-webhook', 'POST', '${headers}', '{}', '${timeoutMs}')`);
  const contender: Contender = {
    name: "a webhook per row",
    mautic: stack.mautic,
    arrivals,
    commit: (rows) => insertLeads(stack.sql, rows),
    invocations: () => pgNetRequests(stack.admin),
    quiet: async () => {
      // With its answers written, pg_net rests for a second before it takes the next request.
      while ((await stack.admin`select from net.http_request_queue`).length > 0) {
        await stack.admin`select pg_sleep(0.05)`;
      }
      await stack.admin`select pg_sleep(1.1)`;
    },
    [Symbol.asyncDispose]: stack.stop,
  };
  await warmUp(contender);
  return contender;
}
