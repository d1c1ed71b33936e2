import { createHandler as createSyncHandler } from "../../supabase/functions/mautic-sync/handler.ts";
import { createHandler as createWebhookHandler } from "../../supabase/functions/mautic-webhook/handler.ts";
import type { SimulatedDatabase } from "./database.ts";
import {
  freeze,
  type FunctionProcess,
  kill,
  type ProcessFetch,
  startProcess,
} from "./function_process.ts";
import type { BellRates } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

export interface Platform {
  /** Delivers what waits in pg_net's queue. Call it after whatever may have rung. */
  ring(): Promise<void>;
  /** Calls mautic-sync as a client of the project would. */
  call(body: object, correlationId: string): Promise<{ status: number; answer: unknown }>;
  /** A running instance of mautic-webhook, or a new one. */
  webhook(): FunctionProcess;
  /** Kills a running process, if there is one. */
  killOne(): void;
  freezeOne(): void;
  thaw(): void;
  /** The instances of mautic-sync, dead ones too. */
  syncs(): readonly FunctionProcess[];
  killAll(): void;
}

/** The edge runtime and pg_net, as far as the product can tell them from the real ones. */
export function createPlatform(
  { scheduler, random, database, env, skews, fetch, bells, note, onLine }: {
    scheduler: Scheduler;
    random: Random;
    database: SimulatedDatabase;
    env: Record<string, string>;
    /** What clocks of processes may be ahead. */
    skews: number[];
    fetch: ProcessFetch;
    bells(): BellRates;
    note(line: string): void;
    onLine(line: string): void;
  },
): Platform {
  const syncs: FunctionProcess[] = [];
  const webhooks: FunctionProcess[] = [];
  const alive = (processes: FunctionProcess[]) => processes.filter((each) => each.isAlive);

  /** A request goes to a running instance or to a new one. */
  function route(processes: FunctionProcess[], start: () => FunctionProcess): FunctionProcess {
    const living = alive(processes);
    if (living.length > 0 && random.chance(0.5)) return random.pick(living);
    const process = start();
    processes.push(process);
    return process;
  }

  function startSync(): FunctionProcess {
    const name = `p${syncs.length + 1}`;
    return startProcess({
      name,
      skewMs: random.pick(skews),
      databaseTimeoutMs: 15_000,
      scheduler,
      fetch,
      note,
      onLine,
      createHandler: (surroundings) =>
        createSyncHandler({
          ...surroundings,
          platform: { env, background: (work) => void work },
          random: random.next,
        }),
    });
  }

  function startWebhook(): FunctionProcess {
    return startProcess({
      name: `w${webhooks.length + 1}`,
      skewMs: random.pick(skews),
      databaseTimeoutMs: 4_000,
      scheduler,
      fetch,
      note,
      onLine,
      createHandler: (surroundings) => createWebhookHandler({ ...surroundings, env }),
    });
  }

  function send(body: object, correlationId: string): Promise<Response> {
    return route(syncs, startSync).handle(
      new Request("http://function.test/mautic-sync", {
        method: "POST",
        headers: { apikey: database.secretKey, "x-correlation-id": correlationId },
        body: JSON.stringify(body),
      }),
    );
  }

  async function ring(): Promise<void> {
    const rings = await database.step((sql) =>
      sql<{ action: string; correlation: string }[]>`
        with taken as (delete from net.http_request_queue returning *)
        select convert_from(body, 'UTF8')::jsonb ->> 'action' as action,
          headers ->> 'X-Correlation-ID' as correlation
        from taken order by id`
    );
    if (rings.length === 0) return;
    const { lost, doubled } = bells();
    // pg_net's worker failed after it had sent the batch: all of it is sent once more.
    const times = random.chance(doubled) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      if (time === 1) note("pg_net sends a batch twice");
      for (const { action, correlation } of rings) {
        if (random.chance(lost)) note(`ring for ${action} lost`);
        else scheduler.after(random.between(5, 1_200), () => void send({ action }, correlation));
      }
    }
  }

  function some(): FunctionProcess | undefined {
    const living = [...alive(syncs), ...alive(webhooks)];
    return living.length > 0 ? random.pick(living) : undefined;
  }

  return {
    ring,
    async call(body, correlationId) {
      const response = await send(body, correlationId);
      return { status: response.status, answer: await scheduler.track(response.json()) };
    },
    webhook: () => route(webhooks, startWebhook),
    killOne() {
      const victim = some();
      if (!victim) return;
      note(`${victim.name} killed`);
      kill(victim);
    },
    freezeOne() {
      const victim = some();
      if (!victim) return;
      const ms = random.between(2_000, 130_000);
      note(`${victim.name} frozen for ${ms} ms`);
      freeze(victim, scheduler.now(), ms);
    },
    thaw() {
      for (const process of [...syncs, ...webhooks]) process.frozenUntil = 0;
    },
    syncs: () => syncs,
    killAll() {
      for (const process of [...syncs, ...webhooks]) kill(process);
    },
  };
}
