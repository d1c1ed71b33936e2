/** The command line of `deno task status`. */
export interface StatusOptions {
  databaseUrl: string;
  json: boolean;
  /** Seconds between two pages; undefined: one page. */
  watchSeconds: number | undefined;
}

export const usage = `deno task status [--db-url <postgres URL>] [--watch [seconds]] [--json]

Without --db-url: the environment variable SUPABASE_DB_URL, else DATABASE_URL. On Supabase it is the
connection string of Connect > Direct connection (or Session pooler), as user postgres.`;

/**
 * Reads arguments and environment.
 *
 * @throws {Error} naming the argument that is wrong or missing, with the usage
 */
export function readStatusOptions(
  args: readonly string[],
  env: Record<string, string | undefined>,
): StatusOptions {
  let databaseUrl = (env["SUPABASE_DB_URL"]?.trim() || env["DATABASE_URL"]?.trim()) ?? "";
  let json = false;
  let watchSeconds: number | undefined;
  const rest = args.flatMap((arg) => /^--\w[\w-]*=/.test(arg) ? splitOnce(arg) : [arg]);
  while (rest.length > 0) {
    const arg = rest.shift();
    if (arg === "--json") json = true;
    else if (arg === "--db-url") databaseUrl = rest.shift() ?? "";
    else if (arg === "--watch") {
      const given = rest[0] !== undefined && !rest[0].startsWith("--") ? rest.shift() : "2";
      watchSeconds = Number(given);
      if (!(watchSeconds >= 0.1 && watchSeconds <= 3600)) {
        throw new Error(`--watch is "${given}"; expected seconds from 0.1 to 3600\n\n${usage}`);
      }
    } else throw new Error(`There is no argument ${arg}\n\n${usage}`);
  }
  if (databaseUrl === "") throw new Error(`No database is named\n\n${usage}`);
  if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
    // Not shown: it may hold a password.
    throw new Error(
      `The database URL is none; expected postgresql://user:password@host:5432/postgres\n\n${usage}`,
    );
  }
  return { databaseUrl, json, watchSeconds };
}

function splitOnce(arg: string): [string, string] {
  const at = arg.indexOf("=");
  return [arg.slice(0, at), arg.slice(at + 1)];
}
