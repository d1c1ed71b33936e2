import type postgres from "postgres";
import { connect } from "../../cli/connect.ts";
import type { TestDatabase } from "../support/database.ts";

/** The log of changes so far, emptied: leads with their cause, and tables that are suspect as a whole. */
export async function takeChanges(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ change: string }[]>`
    with leads as (delete from mautic.lead_change where true returning lead_ids, cause),
      tables as (delete from mautic.table_change where true returning source, cause)
    select cause || ' ' || unnest(lead_ids) as change from leads
    union all select 'table ' || cause || ' ' || source from tables`;
  return rows.map((row) => row.change).sort();
}

/** A session of its own, as postgres; to be ended by the test. */
export function session(db: Pick<TestDatabase, "url">): postgres.Sql {
  return connect(db.url, { max: 1 });
}

/** The migrations in the order in which they are applied. */
export async function migrations(): Promise<{ name: string; text: string }[]> {
  const folder = new URL("../../supabase/migrations/", import.meta.url);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  return await Promise.all(
    names.map(async (name) => ({ name, text: await Deno.readTextFile(new URL(name, folder)) })),
  );
}
