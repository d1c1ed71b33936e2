import type { MauticServer } from "../../local/mautic/server_types.ts";
import type { SimulatedDatabase } from "./database.ts";
import { type Poisoning, poisonousCompany } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { Scheduler } from "./scheduler.ts";

/** Between two probes: the setting circuit_longest_pause_seconds, and the next sweep. */
const probeMs = 40_000;
/** For the next probe, and the sending. */
const patienceMs = probeMs + 50_000;

/** Every save of a lead of {@link poisonousCompany} makes Mautic fail. */
export function poison(mautic: MauticServer, kind: Poisoning["kind"]): void {
  mautic.failNext({
    kind,
    times: Infinity,
    match: ({ method, body }) =>
      method !== "GET" && JSON.stringify(body ?? null).includes(poisonousCompany),
  });
}

/**
 * Invariant 5: no lead waits behind a poisonous one. In a world at rest, where nothing but poisonous
 * leads was sent for a while, new leads get through in a time that has nothing to do with them.
 */
export async function checkNobodyWaits(
  { database, mautic, scheduler, platform, note }: {
    database: SimulatedDatabase;
    mautic: MauticServer;
    scheduler: Scheduler;
    platform: Platform;
    note(line: string): void;
  },
  { kind, leads, aloneMs }: Poisoning,
  /** For how long a lead waits whose answer was lost. */
  graceMs: number,
): Promise<string[]> {
  async function insert(name: string, count: number, company: string | null): Promise<void> {
    note(`${count} leads ${name}`);
    await database.step((sql) =>
      sql`
      insert into public.leads (id, email, company, created_at)
      select md5(${name} || i)::uuid, ${name} || i || '@example.test', ${company}, mautic.clock()
      from generate_series(1, ${count}::int) i`
    );
    await platform.ring();
  }
  poison(mautic, kind);
  await insert("poisonous", leads, poisonousCompany);
  await scheduler.run(scheduler.now() + aloneMs);
  await insert("healthy", 3, null);
  // Whose answer is lost together with a poisonous one's is sent twice with others, then alone.
  const lostMs = kind === "500" ? 0 : 2 * graceMs;
  // Of those that nobody has tried yet each probe tries two; whose answer is lost is in a batch before.
  const untriedMs = aloneMs > 0 ? 0 : leads * probeMs * (kind === "500" ? 1 / 2 : 2);
  await scheduler.run(scheduler.now() + patienceMs + lostMs + untriedMs);
  return [1, 2, 3].flatMap((n) => {
    const email = `healthy${n}@example.test`;
    return mautic.contactByEmail(email) ? [] : [`${email} waits behind ${leads} poisonous leads`];
  });
}
