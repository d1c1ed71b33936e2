import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { insertLead } from "../support/leads.ts";

for (
  const [what, alter] of [
    ["its table is renamed", "alter table public.leads rename to customers"],
    ["its table is dropped", "drop table public.leads cascade"],
    ["its key is renamed", "alter table public.leads rename id to lead_id"],
  ] as const
) {
  Deno.test(`a lead of a broken table is told as missing in the transaction in which ${what}`, async () => {
    await using db = await testDatabase();
    const id = await insertLead(db.sql, "a@example.test");
    await db.sql.begin(async (sql) => {
      const read = async () => [
        ...await sql<{ missing: string[] }[]>`
        select array(select jsonb_array_elements_text(payload -> 'missing')) as missing from mautic.read_leads(array[${id}])`,
      ];
      await sql`alter table public.leads rename first_name to given_name`;
      assert.deepEqual(await read(), [{ missing: ["firstname"] }]);
      await sql.unsafe(alter);
      const [lead] = await read();
      assert.ok(lead!.missing.includes("email"));
    });
  });
}
