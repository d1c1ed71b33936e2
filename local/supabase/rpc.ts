/** `POST /rest/v1/rpc/<function>` as PostgREST answers it. */
import postgres, { type Sql } from "postgres";
import { z } from "zod";
import { type ApiKeys, callerOf } from "./api_keys.ts";
import { httpStatus } from "./postgrest_status.ts";

export type RpcOptions = { sql: Sql; keys: ApiKeys; schemas: string[] };

const argumentsSchema = z.record(z.string(), z.json());
type Arguments = z.infer<typeof argumentsSchema>;

const routineSchema = z.object({
  name: z.string(),
  names: z.array(z.string()),
  types: z.array(z.string()),
  /** How many arguments, from the last one back, have a default. */
  defaults: z.int(),
  is_set: z.boolean(),
  is_void: z.boolean(),
  is_volatile: z.boolean(),
});
type Routine = z.infer<typeof routineSchema>;

/**
 * Returns a handler that calls database functions in the caller's role, one transaction each,
 * read-only for functions that are not volatile.
 */
export function createRpc(options: RpcOptions): (request: Request) => Promise<Response> {
  const { sql, keys, schemas } = options;
  return async (request) => {
    const caller = await callerOf(request, keys);
    if ("refusal" in caller) return Response.json(caller.refusal, { status: 401 });
    if (request.method !== "POST") {
      return failure(405, "PGRST117", `Unsupported HTTP method: ${request.method}`);
    }
    const schema = request.headers.get("content-profile") ?? schemas[0] ?? "public";
    if (!schemas.includes(schema)) {
      const hint = `Only the following schemas are exposed: ${schemas.join(", ")}`;
      return failure(406, "PGRST106", `Invalid schema: ${schema}`, null, hint);
    }
    const name = decodeURIComponent(new URL(request.url).pathname.slice("/rest/v1/rpc/".length));
    const body = await request.text();
    const given = parseArguments(body);
    if (given === undefined) {
      return failure(400, "PGRST102", "Empty or invalid json");
    }
    try {
      const found = (await routines(sql, schema, name)).filter((one) => accepts(one, given));
      const [routine] = found;
      const signature = `${schema}.${name}(${Object.keys(given).join(", ")})`;
      if (routine === undefined) {
        const message = `Could not find the function ${signature} in the schema cache`;
        return failure(404, "PGRST202", message);
      }
      if (found.length > 1) {
        const message = `Could not choose the best candidate function for ${signature}`;
        return failure(300, "PGRST203", message);
      }
      const result = await call(sql, caller.role, schema, routine, given);
      if (routine.is_void) return new Response(null, { status: 204 });
      return new Response(result, {
        headers: { "content-type": "application/json; charset=utf-8" },
      });
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) {
        return failure(503, "PGRST001", "Database connection error. Retrying the connection.");
      }
      const { code, message, detail, hint } = error;
      const status = httpStatus(code, caller.role);
      return failure(status, code, message, detail ?? null, hint ?? null);
    }
  };
}

function parseArguments(body: string): Arguments | undefined {
  try {
    return argumentsSchema.parse(JSON.parse(body === "" ? "{}" : body));
  } catch {
    return undefined;
  }
}

async function routines(sql: Sql, schema: string, name: string): Promise<Routine[]> {
  const rows = await sql`
    select
      p.proname as name,
      coalesce(
        (
          select array_agg(coalesce(argument.name, '') order by argument.place)
          from unnest(p.proargnames, p.proargmodes) with ordinality
            as argument (name, mode, place)
          where argument.mode is null or argument.mode in ('i', 'b', 'v')
        ),
        '{}'
      ) as names,
      coalesce(
        (
          select array_agg(format_type(argument.type, null) order by argument.place)
          from unnest(p.proargtypes) with ordinality as argument (type, place)
        ),
        '{}'
      ) as types,
      p.pronargdefaults as defaults,
      p.proretset as is_set,
      p.prorettype = 'void'::regtype as is_void,
      p.provolatile = 'v' as is_volatile
    from pg_proc as p
    join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = ${schema} and p.proname = ${name} and p.prokind = 'f'
  `;
  return z.array(routineSchema).parse(rows.map((row) => ({ ...row })));
}

/** All that is given must be taken, and all without a default must be given. */
function accepts(routine: Routine, given: Arguments): boolean {
  const names = new Set(routine.names);
  const required = routine.names.slice(0, routine.names.length - routine.defaults);
  return Object.keys(given).every((name) => names.has(name)) &&
    required.every((name) => name in given);
}

/**
 * Calls the function; the answer is JSON text, made by Postgres as in PostgREST.
 *
 * The statements go as one message, which Postgres runs as one transaction. With `sql.begin` the
 * driver (3.4.9) writes to a connection that a crash of Postgres has closed between two statements,
 * and the error it throws then cannot be caught.
 */
async function call(
  sql: Sql,
  role: string,
  schema: string,
  routine: Routine,
  given: Arguments,
): Promise<string> {
  const typed = routine.names.map((name, index) => ({ name, type: routine.types[index] ?? "text" }))
    .filter(({ name }) => name in given);
  const values = typed.map(({ name, type }) => `${identifier(name)} ${type}`).join(", ");
  const passed = typed.map(({ name }) => `${identifier(name)} := argument.${identifier(name)}`);
  const source = typed.length === 0
    ? "(select) as argument"
    : `json_to_record(${literal(JSON.stringify(given))}) as argument (${values})`;
  const target = `${identifier(schema)}.${identifier(routine.name)}(${passed.join(", ")})`;
  const result = routine.is_set ? "coalesce(json_agg(result), '[]')" : "json_agg(result) -> 0";
  const readOnly = routine.is_volatile ? "off" : "on";
  const results = await sql.unsafe(`
    select
      set_config('transaction_read_only', '${readOnly}', true),
      set_config('request.jwt.claims', ${literal(JSON.stringify({ role }))}, true),
      set_config('role', ${literal(role)}, true);
    select (${result})::text as answer
    from (select called as result from ${source}, lateral ${target} as called) as rows
  `);
  return answerSchema.parse(results)[1][0].answer ?? "null";
}

const answerSchema = z.tuple([z.unknown(), z.tuple([z.object({ answer: z.string().nullable() })])]);

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function failure(
  status: number,
  code: string,
  message: string,
  details: string | null = null,
  hint: string | null = null,
): Response {
  return Response.json({ code, message, details, hint }, { status });
}
