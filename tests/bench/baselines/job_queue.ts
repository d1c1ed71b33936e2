/** Baseline (b): one job a lead in a queue of the same database, each saved by a call of its own. */
import { fileURLToPath } from "node:url";
import { denoEnvironment } from "../../../local/process/deno_environment.ts";
import type { Stack } from "../../../local/stack.ts";
import { type Contender, insertLeads, startLoadStack, warmUp } from "../load/contender.ts";
import { baselineFunctions, createLeadsTable, readSql } from "./plain_stack.ts";

export async function startJobQueue(concurrency: number): Promise<Contender> {
  const cleanup = new AsyncDisposableStack();
  const { stack, arrivals } = await startLoadStack({
    migrations: false,
    functionsFolder: baselineFunctions,
  });
  cleanup.use(stack);
  await createLeadsTable(stack.sql);
  const worker = startWorker(stack, concurrency);
  cleanup.defer(async () => {
    worker.kill("SIGKILL");
    await worker.status;
  });
  // It says one thing: that its tables are made and it takes jobs.
  await worker.stdout.getReader().read();
  await stack.sql.unsafe(await readSql("job_queue.sql"));
  const contender: Contender = {
    name: "a job per lead in a queue",
    mautic: stack.mautic,
    arrivals,
    commit: (rows) => insertLeads(stack.sql, rows),
    invocations: () => Promise.resolve(0),
    quiet: async () => {
      while ((await stack.sql`select from graphile_worker.jobs`).length > 0) {
        await stack.sql`select pg_sleep(0.05)`;
      }
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
  await warmUp(contender);
  return contender;
}

function startWorker({ ready, mautic }: Stack, concurrency: number): Deno.ChildProcess {
  const config = fileURLToPath(new URL("../../../deno.json", import.meta.url));
  const program = new URL("./job_queue_worker.ts", import.meta.url).href;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-lock", "-A", "--config", config, program]
      .concat(String(concurrency)),
    clearEnv: true,
    env: {
      ...denoEnvironment(),
      SUPABASE_DB_URL: ready.dbUrl,
      MAUTIC_BASE_URL: mautic.url,
      MAUTIC_CLIENT_ID: mautic.clientId,
      MAUTIC_CLIENT_SECRET: mautic.clientSecret,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
