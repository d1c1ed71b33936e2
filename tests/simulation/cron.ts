import type { SimulatedDatabase } from "./database.ts";
import type { Platform } from "./platform.ts";
import type { BellRates } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** The jobs of the migration "last_jobs", but for the nightly one, which nothing here outlives. */
const jobs: [everyMs: number, command: string][] = [
  [10_000, "select mautic.sweep()"],
  [10_000, "select mautic.apply_pending_deliveries()"],
  [60_000, "select mautic.apply_pending_events()"],
  [3_600_000, "select mautic.purge()"],
];

/** pg_cron: runs each job in its time, unless a tick is missed or comes late. */
export function startCron(
  { scheduler, random, database, platform, bells, reconcileEveryMs }: {
    scheduler: Scheduler;
    random: Random;
    database: SimulatedDatabase;
    platform: Platform;
    bells(): BellRates;
    reconcileEveryMs: number;
  },
): void {
  function later(everyMs: number, command: string): void {
    const { tickLate, tickMissed } = bells();
    const late = random.chance(tickLate) ? random.between(1_000, 60_000) : 0;
    const isMissed = random.chance(tickMissed);
    scheduler.after(everyMs + late, async () => {
      later(everyMs, command);
      if (isMissed || database.isDown()) return;
      await database.step((sql) => sql.unsafe(command));
      await platform.ring();
    });
  }
  for (const job of jobs) later(...job);
  later(reconcileEveryMs, "select mautic.ring_reconcile()");
}
