/**
 * What cannot be beaten, because nothing stands between the caller and Mautic: the application
 * saves each lead itself once it has committed it, or posts full batches in a bare loop. Nothing is
 * kept for a second try, and the writer's process is the only one that knows of the lead.
 */
import { type Contender, insertLeads, startLoadStack, warmUp } from "../load/contender.ts";
import type { BenchLead } from "../load/leads.ts";
import { createMauticApi, type MauticApi } from "./mautic_api.ts";
import { baselineFunctions, createLeadsTable } from "./plain_stack.ts";

/** Baseline (c): `workers` loops post batches of 50 until nothing is left. */
export function startFullBatches(workers: number, speed?: number): Promise<Contender> {
  return startLimit("a bare loop of full batches", async (mautic, rows, stopped) => {
    let next = 0;
    await Promise.all(Array.from({ length: workers }, async () => {
      while (next < rows.length && !stopped.aborted) {
        const batch = rows.slice(next, next += 50);
        await mautic.saveBatch(batch);
      }
    }));
  }, speed);
}

/** Each lead saved by a call of its own, as soon as it is committed. */
export function startDirectSaves(): Promise<Contender> {
  return startLimit("a save by the application itself", async (mautic, rows) => {
    await Promise.all(rows.map(mautic.save));
  });
}

async function startLimit(
  name: string,
  send: (mautic: MauticApi, rows: BenchLead[], stopped: AbortSignal) => Promise<void>,
  speed?: number,
): Promise<Contender> {
  const { stack, arrivals } = await startLoadStack({
    speed,
    migrations: false,
    functionsFolder: baselineFunctions,
  });
  await createLeadsTable(stack.sql);
  const { url: baseUrl, clientId, clientSecret } = stack.mautic;
  const mautic = createMauticApi({ baseUrl, clientId, clientSecret });
  const stopped = new AbortController();
  const sending = new Set<Promise<void>>();
  const contender: Contender = {
    name,
    mautic: stack.mautic,
    arrivals,
    async commit(rows) {
      await insertLeads(stack.sql, rows);
      const sent = send(mautic, rows, stopped.signal).finally(() => sending.delete(sent));
      sending.add(sent);
    },
    invocations: () => Promise.resolve(0),
    quiet: async () => {
      await Promise.all(sending);
    },
    [Symbol.asyncDispose]: async () => {
      // An import that is not measured to its end is still going on.
      stopped.abort();
      await Promise.all(sending);
      await stack.stop();
    },
  };
  await warmUp(contender);
  return contender;
}
