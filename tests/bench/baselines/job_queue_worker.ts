/** The process that works on the jobs of baseline (b): `job_queue_worker.ts <concurrency>`. */
import { Logger, run } from "graphile-worker";
import { createMauticApi, mauticAccess } from "./mautic_api.ts";
import { printResult } from "../../../cli/print.ts";
import { z } from "zod";

const lead = z.object({
  email: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  phone: z.string(),
  company: z.string(),
  crm_status: z.string(),
  utm_source: z.string(),
});

// Its input never holds anything: it ends with whoever started this process.
Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit());

const mautic = createMauticApi(mauticAccess(Deno.env.toObject()));
const runner = await run({
  connectionString: Deno.env.get("SUPABASE_DB_URL") ?? "",
  concurrency: Number(Deno.args[0]),
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  taskList: { sync_lead: (payload) => mautic.save(lead.parse(payload)) },
});
printResult("ready");
await runner.promise;
