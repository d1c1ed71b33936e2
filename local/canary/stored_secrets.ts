/** The search for canaries in what a database holds; the gate has every database of the tests searched. */
import type { Sql } from "postgres";
import { canariesIn, type Canary, canary, markVariable, type Sighting } from "./canary.ts";
import { connect } from "../../cli/connect.ts";

/** The environment variable that names the file to which finds are added, one a line. */
export const findsVariable = "LEAD_SYNC_STORED_SECRETS";

/** Where a secret may stand, and why it has to. Any other place is a leak. */
export const allowedPlaces: Record<string, string> = {
  "vault.secrets.secret": "Vault keeps the doorbell's key, encrypted; its stand-in encodes it",
  "net.http_request_queue.headers": "a ring that waits: pg_net can send none without the key",
};

/** Kinds of relations, by their letters in pg_class: those that hold rows of their own, and all. */
const tables = "rm";
const everything = "rmpvf";

/**
 * Searches a database that is about to end for secrets made for the tests, and tells the gate.
 * Without the gate nothing is done.
 *
 * @param adminUrl of the database, as the superuser
 */
export async function reportStoredSecrets(adminUrl: string): Promise<void> {
  const mark = Deno.env.get(markVariable);
  const file = Deno.env.get(findsVariable);
  if (mark === undefined || file === undefined) return;
  const admin = connect(adminUrl, { max: 1, fetch_types: false });
  try {
    const sightings = await lookThroughRows(admin, [canary("a secret", mark)]);
    const finds = sightings.filter(({ where }) => !(where in allowedPlaces))
      .map(({ where }) => `${where}, left by ${Deno.mainModule}\n`);
    if (finds.length > 0) await Deno.writeTextFile(file, finds.join(""), { append: true });
  } finally {
    await admin.end();
  }
}

/** The same with every database of a server that is about to end. `urlOf` a name, as the superuser. */
export async function reportStoredSecretsOf(urlOf: (database: string) => string): Promise<void> {
  if (Deno.env.get(findsVariable) === undefined) return;
  const admin = connect(urlOf("postgres"), { max: 1, fetch_types: false });
  try {
    const databases = await admin<{ name: string }[]>`
      select datname as name from pg_database where datallowconn and not datistemplate`;
    for (const { name } of databases) await reportStoredSecrets(urlOf(name));
  } finally {
    await admin.end();
  }
}

/**
 * Every column of every relation of these kinds in every schema but Postgres' own, from the
 * catalogue, so that a new one is looked through as well. As the superuser.
 */
export async function lookThroughRows(
  admin: Sql,
  canaries: Canary[],
  kinds = tables,
): Promise<Sighting[]> {
  const relations = await admin<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where position(c.relkind::text in ${kinds}) > 0 and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      -- Empty ones, the most of them, cost nothing.
      and (c.relkind not in ('r', 'm') or pg_relation_size(c.oid) > 0)
    order by 1`;
  if (relations.length === 0) return [];
  const rows = await admin.unsafe<{ relation: string; row: Record<string, unknown> }[]>(
    relations.map(({ name }) =>
      `select '${name.replaceAll("'", "''")}' as relation, to_jsonb(t) as row from ${name} t`
    ).join(" union all "),
  );
  const found = new Map<string, Sighting>();
  for (const { relation, row } of rows) {
    for (const [column, value] of Object.entries(row)) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      for (const name of canariesIn(text, canaries)) {
        const where = `${relation}.${column}`;
        found.set(`${where} ${name}`, { where, canary: name });
      }
    }
  }
  return [...found.values()];
}

/** The same with views, what other sessions ran last, and comments and code that were generated. */
export async function lookThroughDatabase(admin: Sql, canaries: Canary[]): Promise<Sighting[]> {
  const rows = await lookThroughRows(admin, canaries, everything);
  const [own] = await admin`
    select
      (select string_agg(query, E'\n') from pg_stat_activity where pid <> pg_backend_pid()) as ran,
      (select string_agg(prosrc, E'\n') from pg_proc) as code,
      (select string_agg(description, E'\n') from pg_description) as comments`;
  const rest = Object.entries(own ?? {}).flatMap(([where, text]) =>
    canariesIn(String(text ?? ""), canaries).map((name) => ({
      where: `pg_catalog: ${where}`,
      canary: name,
    }))
  );
  return [...rows, ...rest];
}
