import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { insertLead } from "../support/leads.ts";

type Database = Awaited<ReturnType<typeof testDatabase>>;

const fold = ({ sql }: Database) => sql`select mautic.fold(2147483647)`;

Deno.test("the stages that a lead went through are kept, each with the time of the change", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "a@example.test", { crm_status: "new" });
  await fold(db);
  for (const stage of ["qualified", "qualified", null]) {
    await db.sql`update public.leads set crm_status = ${stage}, phone = random()::text`;
    await fold(db);
  }
  const changes = await db.sql<{ from_stage: string; to_stage: string; changed_at: Date }[]>`
    select from_stage, to_stage, changed_at from mautic.stage_change
    where lead_id = ${id} order by id`;
  assert.deepEqual(
    changes.map(({ from_stage, to_stage }) => [from_stage, to_stage]),
    [[null, "new"], ["new", "qualified"], ["qualified", null]],
  );
  const times = changes.map(({ changed_at }) => changed_at.getTime());
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
});

Deno.test("of each column that is read the time of its last change is known, of others none", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "a@example.test", { phone: "1", company: "A" });
  await fold(db);
  await db.sql`update public.leads set phone = '2', updated_at = now()`;
  await db.sql`update public.leads set phone = '3', company = 'B'`;
  await fold(db);
  await db.sql`update public.leads set company = 'C'`;
  const [logged] = await db.sql<{ at: Date }[]>`select changed_at as at from mautic.lead_change`;
  await fold(db);
  const [row] = await db.sql<{ times: Record<string, string> }[]>`
    select times from mautic.lead_state`;
  assert.deepEqual(Object.keys(row?.times ?? {}).sort(), ["company", "phone"]);
  assert.equal(Date.parse(row!.times["company"]!), logged?.at.getTime());
  assert.ok(Date.parse(row!.times["phone"]!) < logged!.at.getTime());
});

Deno.test("leads without an address are counted, and are known by it once they have one", async () => {
  await using db = await testDatabase();
  for (const email of ["", " ", "n/a", "-"]) await insertLead(db.sql, email);
  await db.sql`insert into public.leads (email) values (null)`;
  await fold(db);
  const count = async () =>
    (await db.sql<{ n: number }[]>`select without_address::int as n from mautic.status`)[0]?.n;
  assert.equal(await count(), 5);
  await db.sql`update public.leads set email = 'Ann@Example.test' where email = 'n/a'`;
  await fold(db);
  assert.equal(await count(), 4);
  const found = await db.sql`select from mautic.find_leads(array['ann@example.test'])`;
  assert.equal(found.count, 1);
});

Deno.test("a lead is found by its address before anybody has folded its change", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "old@example.test");
  await fold(db);
  await db.sql`update public.leads set email = 'new@example.test'`;
  const found = async (address: string) =>
    (await db.sql`select from mautic.find_leads(array[${address}])`).count;
  assert.deepEqual([await found("new@example.test"), await found("old@example.test")], [1, 0]);
});

Deno.test("what is emptied by truncate is known no more, and what is loaded anew is", async () => {
  await using db = await testDatabase();
  await db.sql`insert into public.leads (email) select i || '@x.test' from generate_series(1, 5) i`;
  await fold(db);
  await db.sql.begin(async (sql) => {
    await sql`truncate public.leads`;
    await sql`insert into public.leads (email) values ('again@x.test')`;
  });
  await fold(db);
  const known = await db.sql<{ address: string }[]>`select address from mautic.lead_state`;
  assert.deepEqual(known.map(({ address }) => address), ["again@x.test"]);
});
