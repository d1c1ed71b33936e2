import type { SimulatedDatabase } from "./database.ts";
import { type FunctionProcess, kill, type ProcessFetch, startProcess } from "./function_process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** How unreliable pg_net and pg_cron are. */
export interface BellRates {
  lost: number;
  doubled: number;
  sweepMissed: number;
  sweepLate: number;
}

export interface Platform {
  /** Delivers what waits in pg_net's queue. Call it after whatever may have rung. */
  ring(): Promise<void>;
  /** Calls the function as a client of the project would. */
  call(body: object): Promise<{ status: number; answer: unknown }>;
  /** Kills a running process, if there is one. */
  killOne(): void;
  freezeOne(): void;
  thaw(): void;
  processes(): readonly FunctionProcess[];
}

/** The edge runtime, pg_net and pg_cron, as far as the product can tell them from the real ones. */
export function createPlatform(
  { scheduler, random, database, env, fetch, bells, note }: {
    scheduler: Scheduler;
    random: Random;
    database: SimulatedDatabase;
    env: Record<string, string>;
    fetch: ProcessFetch;
    bells(): BellRates;
    note(line: string): void;
  },
): Platform {
  const processes: FunctionProcess[] = [];
  let started = 0;

  /** A request goes to a running instance or to a new one. */
  function route(): FunctionProcess {
    const living = processes.filter((process) => process.isAlive);
    if (living.length > 0 && random.chance(0.5)) return random.pick(living);
    const process = startProcess({ name: `p${++started}`, env, scheduler, random, fetch, note });
    processes.push(process);
    return process;
  }

  function send(body: object, correlationId?: string): Promise<Response> {
    return route().handle(
      new Request("http://function.test/mautic-sync", {
        method: "POST",
        headers: {
          apikey: database.secretKey,
          ...(correlationId ? { "x-correlation-id": correlationId } : {}),
        },
        body: JSON.stringify(body),
      }),
    );
  }

  async function ring(): Promise<void> {
    const rings = await database.step((sql) =>
      sql`delete from net.http_request_queue returning id, headers ->> 'X-Correlation-ID' as correlation`
    );
    for (const { correlation } of rings) {
      const { lost, doubled } = bells();
      if (random.chance(lost)) {
        note("ring lost");
        continue;
      }
      const times = random.chance(doubled) ? 2 : 1;
      for (let time = 0; time < times; time++) {
        scheduler.after(
          random.between(5, 1_200),
          () => void send({ action: "drain" }, correlation),
        );
      }
    }
  }

  function sweepLater(): void {
    const late = random.chance(bells().sweepLate) ? random.between(1_000, 60_000) : 0;
    scheduler.after(10_000 + late, async () => {
      sweepLater();
      if (random.chance(bells().sweepMissed)) return;
      await database.step((sql) => sql`select mautic.sweep()`);
      await ring();
    });
  }
  sweepLater();

  const living = () => processes.filter((process) => process.isAlive);
  return {
    ring,
    async call(body) {
      const response = await send(body);
      return { status: response.status, answer: await scheduler.track(response.json()) };
    },
    killOne() {
      const [victim] = living().length > 0 ? [random.pick(living())] : [];
      if (!victim) return;
      note(`${victim.name} killed`);
      kill(victim);
    },
    freezeOne() {
      const [victim] = living().length > 0 ? [random.pick(living())] : [];
      if (!victim) return;
      const ms = random.between(2_000, 130_000);
      note(`${victim.name} frozen for ${ms} ms`);
      victim.frozenUntil = scheduler.now() + ms;
    },
    thaw() {
      for (const process of processes) process.frozenUntil = 0;
    },
    processes: () => processes,
  };
}
