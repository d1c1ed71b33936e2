import type { Sql } from "postgres";
import { canariesIn, type Canary, type Sighting } from "../../local/canary.ts";

/**
 * Every column of every table, view and materialised view of every schema but Postgres' own, from
 * the catalogue, so that a new one is looked through as well. As the superuser.
 */
export async function lookThroughDatabase(admin: Sql, canaries: Canary[]): Promise<Sighting[]> {
  const relations = await admin<{ name: string; key: string }[]>`
    select c.oid::regclass::text as name, format('%I.%I', n.nspname, c.relname) as key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f')
      and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
    order by 2`;
  const found = new Map<string, Sighting>();
  for (const { key } of relations) {
    const rows = await admin.unsafe(
      `select e.key as column, e.value as text from ${key} t, jsonb_each_text(to_jsonb(t)) e
       where e.value is not null`,
    );
    for (const row of rows) {
      const where = `${key}.${row["column"]}`;
      for (const name of canariesIn(String(row["text"]), canaries)) {
        found.set(`${where} ${name}`, { where, canary: name });
      }
    }
  }
  // What other sessions ran last, and comments and code that were generated.
  const [own] = await admin`
    select
      (select string_agg(query, E'\n') from pg_stat_activity where pid <> pg_backend_pid()) as ran,
      (select string_agg(prosrc, E'\n') from pg_proc) as code,
      (select string_agg(description, E'\n') from pg_description) as comments`;
  for (const [where, text] of Object.entries(own ?? {})) {
    for (const name of canariesIn(String(text ?? ""), canaries)) {
      found.set(`${where} ${name}`, { where: `pg_catalog: ${where}`, canary: name });
    }
  }
  return [...found.values()];
}
