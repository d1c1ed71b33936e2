import type postgres from "postgres";
import { createApiKeys } from "../../local/supabase/api_keys.ts";
import { createDataApi } from "../../local/supabase/data_api.ts";
import { createTestDatabase } from "../../dev/test_database.ts";
import { sayLive } from "../support/database.ts";
import type { Scheduler } from "./scheduler.ts";

/** A transaction of the application that stays open over several steps. */
export interface OpenTransaction {
  sql: postgres.Sql;
  /** Postgres was restarted: it is rolled back. */
  isCut: boolean;
  /** Commits or rolls back; nothing when it was cut. */
  end(how: "commit" | "rollback"): Promise<void>;
}

export interface SimulatedDatabase extends AsyncDisposable {
  secretKey: string;
  /** A statement of the simulation itself, at virtual time, whether Postgres is up or not. */
  step<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** Attaches the second table (signups.sql). */
  addSignups(): Promise<void>;
  begin(level: string): Promise<OpenTransaction>;
  /** A request of a function to the Data API, done to its end. */
  request(request: Request): Promise<{ status: number; body: string; headers: Headers }>;
  /** Ends every transaction under way, for `downMs`; a crash empties what is not logged, too. */
  restart(downMs: number, isCrash: boolean): Promise<void>;
  isDown(): boolean;
  /** How often it was restarted: an answer that was on its way meanwhile is lost. */
  restarts(): number;
}

const instruments = await Deno.readTextFile(new URL("instruments.sql", import.meta.url));
const signups = await Deno.readTextFile(new URL("signups.sql", import.meta.url));

/** Where the functions find the database, and Mautic. */
export const simulatedProject = "http://data.test";
export const simulatedMautic = "http://mautic.test";

/** The real migrations on a real Postgres, with `mautic.clock()` on virtual time. */
export async function createSimulatedDatabase(
  scheduler: Scheduler,
  skewMs: number,
): Promise<SimulatedDatabase> {
  const database = await createTestDatabase();
  const admin = database.adminSession();
  await admin.unsafe(instruments.replaceAll("{skew}", String(skewMs)));
  await sayLive(admin, simulatedProject, simulatedMautic);
  // A lock that an open transaction holds is not let go while we wait; long enough for a busy machine.
  await admin`set lock_timeout = '50ms'`;
  const keys = await createApiKeys();
  const api = createDataApi({ databaseUrl: database.url, keys, schemas: ["public", "mautic"] });
  const open = new Set<OpenTransaction>();
  const spare: postgres.Sql[] = [];
  let set = 0;
  let downUntil = 0;
  let restarts = 0;

  async function onTime(): Promise<void> {
    if (set === scheduler.now()) return;
    set = scheduler.now();
    await admin`select setval('simulation.microseconds', greatest(${set}::bigint * 1000,
      (select last_value from simulation.microseconds)))`;
  }

  function step<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    return scheduler.track((async () => {
      await onTime();
      return await work(admin);
    })());
  }

  return {
    secretKey: keys.secret,
    step,
    addSignups: async () => void await step((sql) => sql.unsafe(signups)),
    async begin(level) {
      const sql = spare.pop() ?? database.session();
      const transaction: OpenTransaction = {
        sql,
        isCut: false,
        async end(how) {
          if (!open.delete(transaction)) return;
          await step(() => sql.unsafe(how));
          spare.push(sql);
        },
      };
      open.add(transaction);
      await step(() => sql.unsafe(`begin isolation level ${level}`));
      return transaction;
    },
    request: (request) =>
      scheduler.track((async () => {
        await onTime();
        const response = await api.fetch(request);
        return { status: response.status, body: await response.text(), headers: response.headers };
      })()),
    async restart(downMs, isCrash) {
      restarts++;
      downUntil = scheduler.now() + downMs;
      for (const transaction of open) {
        transaction.isCut = true;
        await transaction.end("rollback");
      }
      if (!isCrash) return;
      // What a crash leaves of unlogged tables: nothing, and their ids begin anew.
      await step((sql) =>
        sql`truncate net.http_request_queue, net._http_response, mautic.ring_sent restart identity`
      );
    },
    isDown: () => scheduler.now() < downUntil,
    restarts: () => restarts,
    async [Symbol.asyncDispose]() {
      await api.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
