import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";

Deno.test("settings are read and changed by name; unknown names and values are refused with what is allowed", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  const [set] = await sql<{ set: string }[]>`select mautic.set('on_lead_delete', 'delete_contact')`;
  assert.equal(set?.set, "on_lead_delete = delete_contact");
  const [got] = await sql<{ get: string }[]>`select mautic.get('on_lead_delete')`;
  assert.equal(got?.get, "delete_contact");
  await assert.rejects(sql`select mautic.get('on_lead_deleet')`, /no setting[^]*on_lead_delete/);
  await assert.rejects(sql`select mautic.set('nope', '1')`, /no setting/);
  await assert.rejects(
    sql`select mautic.set('on_lead_delete', 'burn')`,
    /keep\|do_not_contact\|delete_contact/,
  );
  await assert.rejects(sql`select mautic.set('history_days', '0')`, /cannot be '0'/);
  await assert.rejects(
    sql`update mautic.setting set value = 'forever' where name = 'history_days'`,
  );
});
