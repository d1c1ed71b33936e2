/**
 * A real Postgres 17 for development and tests: it runs as root and as a normal user, beside other
 * instances, and leaves nothing behind.
 */
import { basename, join } from "node:path";
import { copyPostgres } from "./postgres_files.ts";
import { signal, startDaemon, until } from "../process/daemon.ts";
import type { PostgresMajor } from "../process/npm_binaries.ts";
import { freePort, portIsFree } from "../process/ports.ts";
import { reportStoredSecretsOf } from "../canary/stored_secrets.ts";
import { postgresUser, type ProcessUser } from "./system_user.ts";

export type PostgresOptions = {
  /** TCP port on 127.0.0.1, if nobody has it; any free one otherwise. */
  port?: number;
  /** Offer the stand-ins of pg_net, pg_cron and Vault to `create extension`. Default: true. */
  standIns?: boolean;
  /** Default: 17. */
  major?: PostgresMajor;
  /** Further settings of the server, by name. */
  settings?: Record<string, string>;
};

export type Postgres = {
  port: number;
  /** Process id of the postmaster. */
  pid(): number;
  /**
   * Connection string of a role. `supabase_admin` is the superuser, as on the platform; `postgres`
   * is not.
   */
  url(database?: string, role?: Role): string;
  /** Ends the server as a power cut would (nothing is flushed) and starts it on the same data. */
  crash(): Promise<void>;
  /** Ends the server and removes its folder. Can be called again. */
  stop(): Promise<void>;
};

type Role = "postgres" | "supabase_admin";

/** As in a local Supabase; the server listens on the loopback interface only. */
const password = "postgres";

/**
 * fsync only matters when the operating system itself goes down, so a development database does
 * without. synchronous_commit stays on: what was committed survives `crash()`.
 */
const defaultSettings = {
  listen_addresses: "127.0.0.1",
  // No socket file: its path may not be longer than 107 bytes, and temporary folders can be deep.
  unix_socket_directories: "",
  max_connections: "200",
  fsync: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "2GB",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
};

/**
 * Starts Postgres on fresh data.
 *
 * @throws {Error} with the server's own words when it does not come up; nothing is left behind then
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const user = await postgresUser();
  const major = options.major ?? 17;
  const files = await copyPostgres(user, options.standIns ?? true, major);
  try {
    await initialise(files.folder, user, major);
    const settings = { ...defaultSettings, ...options.settings };
    let server = await startServer(files.folder, user, settings, options.port);
    let stopped: Promise<void> | undefined;

    const url = (database = "postgres", role: Role = "postgres") =>
      `postgresql://${role}:${password}@127.0.0.1:${server.port}/${database}`;
    const stop = async () => {
      try {
        const isUp = signal(server.pid, "SIGCONT") && await serverState(files.folder) === "ready";
        if (isUp) await reportStoredSecretsOf((database) => url(database, "supabase_admin"));
      } finally {
        await server.end("SIGINT");
        await files.remove();
      }
    };
    return {
      port: server.port,
      pid: () => server.pid,
      url,
      crash: async () => {
        await server.end("SIGQUIT");
        server = await tryToStart(files.folder, user, settings, server.port);
      },
      stop: () => stopped ??= stop(),
    };
  } catch (error) {
    await files.remove();
    throw error;
  }
}

async function initialise(
  folder: string,
  user: ProcessUser,
  major: PostgresMajor,
): Promise<void> {
  const passwordFile = join(folder, "password");
  await Deno.writeTextFile(passwordFile, password);
  if (user !== undefined) await Deno.chown(passwordFile, user.uid, user.gid);
  const { success, stderr } = await new Deno.Command(join(folder, "bin/initdb"), {
    args: [
      `--pgdata=${join(folder, "data")}`,
      "--username=supabase_admin",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // The same order on every machine, whatever locales it has: before 17, bytes only.
      ...(major < 17 ? ["--locale=C"] : ["--locale=C.UTF-8", "--locale-provider=builtin"]),
      "--no-sync",
    ],
    ...environment(folder),
    clearEnv: true,
    ...user,
  }).output();
  await Deno.remove(passwordFile);
  if (!success) throw new Error(`initdb failed: ${new TextDecoder().decode(stderr).trim()}`);
}

type Server = { port: number; pid: number; end(signal: Deno.Signal): Promise<void> };

/** Starts the server on the wanted port, or on another when somebody has that one. */
async function startServer(
  folder: string,
  user: ProcessUser,
  settings: Record<string, string>,
  wanted: number | undefined,
): Promise<Server> {
  for (let attempt = 1;; attempt++) {
    const port = attempt === 1 && wanted !== undefined && portIsFree(wanted) ? wanted : freePort();
    try {
      return await tryToStart(folder, user, settings, port);
    } catch (error) {
      if (attempt === 5 || portIsFree(port)) throw error;
    }
  }
}

async function tryToStart(
  folder: string,
  user: ProcessUser,
  settings: Record<string, string>,
  port: number,
): Promise<Server> {
  const log = await logFile(folder);
  const flags = Object.entries({ ...settings, port: String(port) })
    .flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const pid = await startDaemon({
    command: [join(folder, "bin/postgres"), "-D", join(folder, "data"), ...flags],
    log,
    ...environment(folder),
    user,
  });
  const failure = async () => {
    const words = await Deno.readTextFile(log).catch(() => "");
    return `Postgres did not start on port ${port}: ${words.slice(-2000).trim()}`;
  };
  await until(
    async () => {
      const state = await serverState(folder);
      if (state === undefined && !signal(pid, "SIGCONT")) throw new Error(await failure());
      return state === "ready";
    },
    startTimeout,
    failure,
  );
  return {
    port,
    pid,
    end: async (name) => {
      if (!signal(pid, name)) return;
      // The lock file goes last, when the port is free again. The process table is no sign: where
      // process 1 collects no orphans, they stay in it for ever.
      await until(
        async () => (await serverState(folder)) === undefined,
        stopTimeout,
        () => Promise.resolve(`Postgres (process ${pid}) did not stop after ${name}`),
      );
    },
  };
}

/** The environment variable that names a folder where logs are kept; they go with the data else. */
export const logFolderVariable = "LEAD_SYNC_POSTGRES_LOGS";

async function logFile(folder: string): Promise<string> {
  const log = join(folder, "data/server.log");
  const kept = Deno.env.get(logFolderVariable);
  if (kept === undefined) return log;
  try {
    await Deno.symlink(join(kept, `${basename(folder)}.log`), log);
  } catch (error) {
    // After a crash: it is there.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return log;
}

const startTimeout = 60_000;
const stopTimeout = 30_000;

/** What the server writes into the eighth line of its lock file; undefined without such a file. */
async function serverState(folder: string): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(join(folder, "data/postmaster.pid"));
    return text.split("\n")[7]?.trim() ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function environment(folder: string) {
  return {
    cwd: folder,
    env: { LC_ALL: "C", TZ: "UTC", PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
  };
}
