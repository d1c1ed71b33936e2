/** What the baselines have in common: the local stack without the product in it. */
import type { Sql } from "postgres";

/** Where the baselines' edge functions are. */
export const baselineFunctions = new URL("./functions/", import.meta.url);

export async function createLeadsTable(sql: Sql): Promise<void> {
  await sql.unsafe(await readSql("leads.sql"));
}

export async function readSql(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, import.meta.url));
}
