import type { Sql } from "postgres";

/** A value that must not be found, in all its forms, and what to call it when it is. */
export interface Canary {
  name: string;
  /** In lower case. */
  forms: string[];
}

export function canary(name: string, value: string): Canary {
  return { name, forms: [...new Set(formsOf(value).map((form) => form.toLowerCase()))] };
}

/** Where a canary was found: `mautic.contact.address`, `server log` … */
export interface Sighting {
  where: string;
  canary: string;
}

/**
 * The forms in which a value may have been put down: plain and in other cases, in an address, in
 * JSON, in hexadecimal (as Postgres shows bytes) and in base64 at each of the three places where it
 * may begin.
 */
export function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = [0, 1, 2].map((shift) => {
    const shifted = btoa(String.fromCharCode(...new Uint8Array(shift), ...bytes));
    // The first and last signs depend on what stands around it.
    return shifted.slice(shift === 0 ? 0 : 4, bytes.length < 6 ? undefined : -4);
  });
  return [
    value,
    encodeURIComponent(value),
    encodeURIComponent(encodeURIComponent(value)),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll("/", "\\/"),
    hex,
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/** The names of the canaries that are in a text, in upper or lower case. */
export function canariesIn(text: string, canaries: Canary[]): string[] {
  const lower = text.toLowerCase();
  return canaries.filter(({ forms }) => forms.some((form) => lower.includes(form)))
    .map(({ name }) => name);
}

/** Looks through texts by what they are called. */
export function lookThrough(texts: Record<string, string>, canaries: Canary[]): Sighting[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    canariesIn(text, canaries).map((name) => ({ where, canary: name }))
  );
}

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
