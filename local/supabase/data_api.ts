/**
 * The Data API under `/rest/v1`, for supabase-js. Development only.
 *
 * Tables are served by `@supabase/lite`. Functions (`rpc`) are not: version 0.10.0 hands a jsonb
 * argument over as a JSON string, loses the SQLSTATE, hint and detail of an error raised in a
 * function, and prints every refused call. The product lives on `rpc`, so rpc.ts does as PostgREST
 * does.
 */
import { App } from "@supabase/lite";
import { createPostgresConnection, type PostgresConnection } from "@supabase/lite/postgres";
import { type ApiKeys, callerOf, type Role, roles } from "./api_keys.ts";
import { createRpc } from "./rpc.ts";
import { connect } from "../../cli/connect.ts";

export type DataApiOptions = {
  /** Connection string of a role that may become `anon` and `service_role`. */
  databaseUrl: string;
  keys: ApiKeys;
  /** Schemas on offer; the first is the default. */
  schemas: string[];
};

export type DataApi = {
  /** Answers a request whose path begins with `/rest/v1/`. */
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
};

/** Connections of each pool; more callers wait. */
const poolSize = 20;
const quiet = { max: poolSize, onnotice: () => {} };

/** Opens the Data API on a database. */
export function createDataApi(options: DataApiOptions): DataApi {
  const { databaseUrl, keys, schemas } = options;
  const sql = connect(databaseUrl, { max: poolSize });
  const rpc = createRpc({ sql, keys, schemas });
  const owner = createPostgresConnection({ url: databaseUrl, postgresOptions: quiet });
  const tables = new Map(roles.map((role) => [role, createTables(role, owner, options)]));
  return {
    fetch: async (request) => {
      if (new URL(request.url).pathname.startsWith("/rest/v1/rpc/")) return await rpc(request);
      const caller = await callerOf(request, keys);
      if ("refusal" in caller) return Response.json(caller.refusal, { status: 401 });
      const { role } = caller;
      const answer = await tables.get(role)?.fetch(withKeyOf(role, request, keys));
      return answer ?? Response.json({ message: `No role ${role}` }, { status: 401 });
    },
    close: async () => {
      const ends = [...tables.values()].map(({ close }) => close());
      await Promise.all([sql.end({ timeout: 1 }), owner.driver.end({ timeout: 1 }), ...ends]);
    },
  };
}

/**
 * Tables and views for one role. `@supabase/lite` looks at row level security itself and stays who
 * it connected as, so each role has connections that are that role: privileges are Postgres' own.
 * What there is, it is told by the owner: it looks into every schema, where a role may not.
 */
function createTables(
  role: Role,
  owner: PostgresConnection,
  { databaseUrl, keys, schemas }: DataApiOptions,
) {
  const connection = createPostgresConnection({
    url: databaseUrl,
    postgresOptions: { ...quiet, connection: { role } },
  });
  connection.introspect = (given) => owner.introspect(given);
  // Where row level security is on anywhere, it would grant all three roles all schemas first.
  Reflect.set(connection, "ensureRlsContext", () => Promise.resolve(false));
  const app = new App({
    connection,
    auth: { enabled: false, publishable_key: keys.publishable, secret_key: keys.secret },
    api: { schemas },
  });
  return { fetch: app.fetch, close: () => connection.driver.end({ timeout: 1 }) };
}

/** `@supabase/lite` knows two roles by their keys, and tokens of its own users only. */
function withKeyOf(role: Role, request: Request, keys: ApiKeys): Request {
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  headers.set("apikey", role === "service_role" ? keys.secret : keys.publishable);
  return new Request(request, { headers });
}
