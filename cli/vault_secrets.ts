/** Writes into Vault what the doorbell needs. */
import type { Sql } from "postgres";

/** Creates the secrets, or gives those that exist their new values. */
export async function writeVaultSecrets(
  sql: Sql,
  secrets: Record<string, string>,
): Promise<void> {
  for (const [name, value] of Object.entries(secrets)) {
    const [known] = await sql`select id from vault.secrets where name = ${name}`;
    if (known === undefined) await sql`select vault.create_secret(${value}, ${name})`;
    else await sql`select vault.update_secret(${known.id}, ${value})`;
  }
}
