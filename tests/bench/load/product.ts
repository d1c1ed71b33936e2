/** The product as it is deployed: its migrations, its functions, pg_net and pg_cron. */
import { type Contender, insertLeads, pgNetRequests, startLoadStack, warmUp } from "./contender.ts";

/** `workers` is MAUTIC_MAX_WORKERS; 2 is its default. `speed` is that of Mautic. */
export async function startProduct(workers = 2, speed?: number): Promise<Contender> {
  const { stack, arrivals } = await startLoadStack({
    speed,
    functionEnv: { MAUTIC_MAX_WORKERS: String(workers) },
  });
  const contender: Contender = {
    name: "this product",
    mautic: stack.mautic,
    arrivals,
    commit: (rows) => insertLeads(stack.sql, rows),
    invocations: () => pgNetRequests(stack.admin),
    quiet: async () => {
      // Outside of anything measured, so looking again and again disturbs nobody.
      const isBusy = async () => {
        const [row] = await stack.sql<{ busy: boolean }[]>`
          select exists (select from mautic.worker) or exists (select from mautic.outbox)
            or exists (select from mautic.lead_change) as busy`;
        return row?.busy ?? false;
      };
      while (await isBusy()) await stack.sql`select pg_sleep(0.05)`;
    },
    [Symbol.asyncDispose]: stack.stop,
  };
  await warmUp(contender);
  return contender;
}
