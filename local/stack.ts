/**
 * The whole stack on one machine: Postgres with its stand-ins, the Data API, the gateway with the
 * functions, and a Mautic. `deno task start`, the demo and the tests all use this.
 */
import type { Sql } from "postgres";
import { type ApiKeys, createApiKeys } from "./supabase/api_keys.ts";
import { marked } from "./canary/canary.ts";
import { createDataApi } from "./supabase/data_api.ts";
import { collectFunctionLogs } from "./supabase/functions/logs.ts";
import { functionEnvironment } from "./supabase/functions/environment.ts";
import {
  type FunctionBundles,
  type Gateway,
  type GatewayOptions,
  startGateway,
} from "./supabase/gateway.ts";
import type { MauticEmulator, MauticEmulatorOptions } from "./mautic/emulator.ts";
import { type MauticConnection, startMautic } from "./mautic_part.ts";
import { projectOf } from "shared/settings/supabase.ts";
import { migrate } from "./supabase/migrate.ts";
import { type PgCronRunner, startPgCron } from "./supabase/stand_ins/pg_cron_runner.ts";
import { type PgNetWorker, startPgNet } from "./supabase/stand_ins/pg_net_worker.ts";
import { type Postgres, startPostgres } from "./postgres/postgres.ts";
import { connect } from "../cli/connect.ts";
import { ensureApiRoles, prepareDatabase } from "./supabase/database.ts";
import { writeVaultSecrets } from "../cli/vault_secrets.ts";

export type StackOptions = {
  /** `default`: Supabase's own (54321 API, 54322 database) unless taken. Default: `free`. */
  ports?: "default" | "free";
  /** Variables the functions find beside, or in place of, the stack's own. */
  functionEnv?: Record<string, string>;
  /** Apply this project's migrations. Default: true. */
  migrations?: boolean;
  /** Say mautic.go_live() for the stack's own project and Mautic. Default: with the migrations. */
  live?: boolean;
  /** Folder with `<name>/index.ts`. Default: this project's functions. */
  functionsFolder?: URL;
  /** Functions that lie elsewhere, by name: what a deployment uploaded, for one. */
  bundles?: FunctionBundles;
  /** Options of the emulator; `false` for none; an address and credentials of a real Mautic. */
  mautic?: MauticEmulatorOptions | MauticConnection | false;
  /** A database that already has pg_net, pg_cron and Vault, in place of the embedded one. */
  databaseUrl?: string;
  /** Host name by which a database or a Mautic elsewhere reaches this machine. */
  publicHost?: string;
  webhookSecret?: string;
  /** Program and first arguments of the Deno that runs the functions. Default: this one. */
  deno?: string[];
  /** Takes what the functions print, and what the stack does. Default: nobody. */
  log?: (line: string) => void;
};

/** What `deno task start` prints once all is up. */
export type ReadyLine = {
  event: "ready";
  apiUrl: string;
  functionsUrl: string;
  dbUrl: string;
  mauticUrl: string;
  mauticClientId: string;
  mauticClientSecret: string;
  webhookUrl: string;
  secretKey: string;
  publishableKey: string;
};

export type Stack = AsyncDisposable & {
  ready: ReadyLine;
  /** A pool of connections as `postgres`: who operates a Supabase project, no superuser. */
  sql: Sql;
  /** The same as the superuser; with a database of your own, as the user of its URL. */
  admin: Sql;
  /** The emulator; reading it throws when the stack has none. */
  readonly mautic: MauticEmulator;
  /** The worker of the stand-in; reading it throws with a database of your own. */
  readonly pgNet: PgNetWorker;
  /** The runner of the stand-in; reading it throws with a database of your own. */
  readonly pgCron: PgCronRunner;
  /** Ends a function's process with SIGKILL; the next request starts a new one. */
  killFunction(name: string): Promise<void>;
  functionPid(name: string): number | undefined;
  /** The lines a function has printed so far. */
  functionLog(name: string): readonly string[];
  /** The first line of a function that matches, printed already or still to come. */
  functionLogged(name: string, matches: (line: string) => boolean): Promise<string>;
  /** Crashes Postgres (unlogged tables come back empty) and starts it on the same data. */
  restartPostgres(): Promise<void>;
  /** Ends everything, in order, and removes every temporary folder. Can be called again. */
  stop(): Promise<void>;
};

const defaultPorts = { api: 54321, database: 54322 };
const schemas = ["public", "mautic"];
const projectFunctions = new URL("../supabase/functions/", import.meta.url);

/** Starts the stack. When a part does not start, those before it are ended again. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const cleanup = new AsyncDisposableStack();
  try {
    return await assemble(options, cleanup);
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

async function assemble(options: StackOptions, cleanup: AsyncDisposableStack): Promise<Stack> {
  const onDefaultPorts = options.ports === "default";
  const log = options.log ?? (() => {});
  const keys = createApiKeys();
  const webhookSecret = options.webhookSecret ?? marked(crypto.randomUUID().replaceAll("-", ""));

  const database = await openDatabase(options, cleanup, onDefaultPorts);
  const sql = connect(database.url);
  cleanup.defer(() => sql.end({ timeout: 1 }));
  const admin = connect(database.adminUrl);
  cleanup.defer(() => admin.end({ timeout: 1 }));
  if (options.migrations ?? true) await migrate({ databaseUrl: database.url });

  const dataApi = createDataApi({ databaseUrl: database.url, keys, schemas });
  cleanup.defer(dataApi.close);

  // Filled in once the gateway's port is known; no function starts before.
  const functionEnv: Record<string, string> = {};
  const functionLogs = collectFunctionLogs();
  const functionsFolder = options.functionsFolder ?? projectFunctions;
  const gateway = openGateway({
    // A database or a Mautic elsewhere has to reach it.
    hostname: options.publicHost === undefined ? "127.0.0.1" : "0.0.0.0",
    port: onDefaultPorts ? defaultPorts.api : 0,
    dataApi,
    functionsFolder,
    ...(options.bundles === undefined ? {} : { bundles: options.bundles }),
    functionEnv,
    ...(options.deno === undefined ? {} : { deno: options.deno }),
    log: (name, line) => {
      functionLogs.add(name, line);
      log(`${name}: ${line}`);
    },
  });
  cleanup.defer(gateway.stop);

  const apiUrl = `http://${options.publicHost ?? "127.0.0.1"}:${gateway.port}`;
  const functionsUrl = `${apiUrl}/functions/v1`;
  const webhookUrl = `${functionsUrl}/mautic-webhook?secret=${webhookSecret}`;
  const mautic = await startMautic(options.mautic ?? {}, functionsFolder, webhookUrl);
  if (mautic.emulator !== undefined) cleanup.defer(mautic.emulator.stop);
  Object.assign(
    functionEnv,
    functionEnvironment({ apiUrl, dbUrl: database.url, keys, webhookSecret, mautic }),
    options.functionEnv,
  );

  // Nobody else's leads are here; and before Vault holds the bell's address, for this rings.
  const { MAUTIC_BASE_URL: origin, SUPABASE_URL: project } = functionEnv;
  if ((options.live ?? options.migrations ?? true) && origin && project) {
    await sql`select mautic.go_live(${projectOf(project)}, ${origin})`;
  }
  const secrets = { mautic_sync_url: `${functionsUrl}/mautic-sync`, mautic_sync_key: keys.secret };
  await writeVaultSecrets(sql, secrets);

  const { server } = database;
  const pgNet = server === undefined ? undefined : await startPgNet(database.adminUrl);
  if (pgNet !== undefined) cleanup.defer(pgNet.stop);
  const pgCron = server === undefined ? undefined : startPgCron(database.adminUrl);
  if (pgCron !== undefined) cleanup.defer(pgCron.stop);

  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= cleanup.disposeAsync();
  return {
    ready: readyLine(apiUrl, database.url, webhookUrl, keys, mautic.connection),
    sql,
    admin,
    get mautic() {
      return present(mautic.emulator, "Mautic emulator");
    },
    get pgNet() {
      return present(pgNet, "stand-in for pg_net");
    },
    get pgCron() {
      return present(pgCron, "stand-in for pg_cron");
    },
    killFunction: gateway.kill,
    functionPid: gateway.pid,
    functionLog: functionLogs.of,
    functionLogged: functionLogs.find,
    restartPostgres: async () => await present(server, "embedded Postgres").crash(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Database = { url: string; adminUrl: string; server: Postgres | undefined };

async function openDatabase(
  options: StackOptions,
  cleanup: AsyncDisposableStack,
  onDefaultPorts: boolean,
): Promise<Database> {
  const url = options.databaseUrl;
  if (url !== undefined) {
    await ensureApiRoles(url);
    return { url, adminUrl: url, server: undefined };
  }
  const server = await startPostgres(onDefaultPorts ? { port: defaultPorts.database } : {});
  cleanup.defer(server.stop);
  await prepareDatabase(server, true);
  return { url: server.url(), adminUrl: server.url("postgres", "supabase_admin"), server };
}

/** Takes any other port when somebody has the wanted one. */
function openGateway(options: GatewayOptions): Gateway {
  try {
    return startGateway(options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return startGateway({ ...options, port: 0 });
  }
}

function readyLine(
  apiUrl: string,
  dbUrl: string,
  webhookUrl: string,
  keys: ApiKeys,
  mautic: MauticConnection | undefined,
): ReadyLine {
  return {
    event: "ready",
    apiUrl,
    functionsUrl: `${apiUrl}/functions/v1`,
    dbUrl,
    mauticUrl: mautic?.baseUrl ?? "",
    mauticClientId: mautic?.clientId ?? "",
    mauticClientSecret: mautic?.clientSecret ?? "",
    webhookUrl,
    secretKey: keys.secret,
    publishableKey: keys.publishable,
  };
}

function present<Part>(part: Part | undefined, name: string): Part {
  if (part === undefined) throw new Error(`This stack was started without the ${name}`);
  return part;
}
