import assert from "node:assert/strict";
import { z } from "zod";
import { outcomeSchema } from "shared/database/outcome.ts";
import { leasedItemSchema } from "shared/database/queue.ts";
import { testDatabase } from "../support/database.ts";
import { claim, done, insertLead, settle, startWorker } from "../support/leads.ts";

/** What an attribute of a composite type is in JSON. */
const jsonTypes: Record<string, string[]> = {
  text: ["string"],
  "timestamp with time zone": ["string"],
  boolean: ["boolean"],
  bigint: ["integer"],
  jsonb: ["object", "array"],
  "text[]": ["array of string"],
  "bigint[]": ["array of integer"],
};

const propertySchema = z.object({
  type: z.string(),
  items: z.object({ type: z.string() }).optional(),
});

Deno.test("an outcome has the fields of mautic.outcome, in types that Postgres makes of JSON", async () => {
  await using db = await testDatabase();
  const attributes = await db.sql<{ name: string; type: string }[]>`
    select attname::text as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = (select typrelid from pg_type where oid = 'mautic.outcome'::regtype)
      and not attisdropped`;
  const { properties } = z.toJSONSchema(outcomeSchema);
  assert.deepEqual(
    Object.keys(properties ?? {}).sort(),
    attributes.map(({ name }) => name).sort(),
  );
  for (const { name, type } of attributes) {
    const { type: given, items } = propertySchema.parse(properties?.[name]);
    const known = jsonTypes[type] ?? [];
    const isKnown = known.includes(given) || known.includes(`${given} of ${items?.type}`);
    assert.ok(isKnown, `${name}: ${type} in Postgres, ${given} in TypeScript`);
  }
});

Deno.test("a claimed item has the keys that the functions read, and no other, in their types", async () => {
  await using db = await testDatabase();
  const exact = leasedItemSchema.strict();
  const keys = Object.keys(exact.shape).sort();
  const check = (items: unknown[]) => {
    assert.equal(items.length, 1);
    for (const item of items) {
      assert.deepEqual(Object.keys(Object(item)).sort(), keys);
      exact.parse(item);
    }
  };
  await db.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const worker = await startWorker(db.sql);

  // A lead that nothing is known of, one of whose contact everything is, and a deleted one.
  const id = await insertLead(db.sql, "ann@example.test", { crm_status: "qualified" });
  const first = await claim(db.sql, worker);
  check(first.items);
  await settle(db.sql, first.lease_token, [{
    ...done(id, 7, "ann@example.test"),
    lead_address: "ann@example.test",
    snapshot: { email: "ann@example.test", hki_score: 85, firstname: null },
    refused: { hki_status: "qualified" },
    do_not_contact: [{ channel: "email", reason: 1, comments: null }],
    filled: ["hki_score"],
    shows_lead: true,
    changed_at: new Date().toISOString(),
  }]);
  await db.sql`update public.leads set email_status = 'unsubscribed', first_name = 'Ann'`;
  const second = await claim(db.sql, worker);
  check(second.items);
  await settle(db.sql, second.lease_token, [{ lead_id: id, result: "done" }]);
  await db.sql`delete from public.leads`;
  check((await claim(db.sql, worker)).items);
});
