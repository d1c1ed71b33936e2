import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { claim, done, insertLead, settle, startWorker } from "../support/leads.ts";

type Database = Awaited<ReturnType<typeof testDatabase>>;

async function lanes({ sql }: Database, table: "logged_lead" | "outbox") {
  const rows = await sql<{ lane: string; n: number }[]>`
    select lane, count(*)::int as n from mautic.${sql(table)} group by lane order by lane`;
  return Object.fromEntries(rows.map(({ lane, n }) => [lane, n]));
}

/** Leads that are in Mautic, so that nothing of their making is queued any more. */
async function synced({ sql }: Database, count: number): Promise<void> {
  await sql`
    insert into public.leads (email, ml_score, marketing_opt_in)
    select 'old' || i || '@example.test', 1, true from generate_series(1, ${count}) i`;
  await sql`select mautic.fold(2147483647)`;
  await sql`delete from mautic.outbox`;
}

Deno.test("a new lead behind a bulk update of any size is in the next batch, and the bulk goes on in it", async () => {
  await using db = await testDatabase();
  await synced(db, 12_000);
  await db.sql`update public.leads set ml_score = ml_score + 1`;
  const fresh = await insertLead(db.sql, "new@example.test");
  assert.deepEqual(await lanes(db, "logged_lead"), { new: 1, bulk: 12_000 });
  const { items } = await claim(db.sql, await startWorker(db.sql));
  assert.equal(items.length, 50);
  assert.ok(items.some(({ lead_id }) => lead_id === fresh));
});

Deno.test("a steady stream of new leads does not keep a bulk from moving", async () => {
  await using db = await testDatabase();
  await synced(db, 200);
  await db.sql`update public.leads set ml_score = 2`;
  const worker = await startWorker(db.sql);
  let ofBulk = 0;
  for (let round = 1; round <= 5; round++) {
    for (let n = 0; n < 15; n++) await insertLead(db.sql, `n${round}-${n}@example.test`);
    const { lease_token, items } = await claim(db.sql, worker, { limit: 15 });
    ofBulk += items.filter(({ address }) => address?.startsWith("old")).length;
    await settle(
      db.sql,
      lease_token,
      items.map(({ lead_id }) => ({ lead_id, result: "done" })),
    );
  }
  // Two of ten parts each.
  assert.ok(ofBulk >= 10, `${ofBulk} of the bulk in five batches of 15`);
});

Deno.test("a single edit lifts a lead out of the bulk that it is in", async () => {
  await using db = await testDatabase();
  await synced(db, 300);
  await db.sql`update public.leads set ml_score = 2`;
  await db.sql`update public.leads set first_name = 'Ann' where email = 'old250@example.test'`;
  await db.sql`select mautic.fold(2147483647)`;
  assert.deepEqual(await lanes(db, "outbox"), { live: 1, bulk: 299 });
});

Deno.test("a withdrawal in a bulk goes first", async () => {
  await using db = await testDatabase();
  await synced(db, 300);
  await db.sql`
    update public.leads set ml_score = 2, marketing_opt_in = email <> 'old250@example.test'`;
  const { items } = await claim(db.sql, await startWorker(db.sql), { limit: 5 });
  assert.equal(items[0]?.address, "old250@example.test");
});

Deno.test("a transaction of many single statements is a bulk from its first one on", async () => {
  await using db = await testDatabase();
  await synced(db, 150);
  await db.sql.begin(async (sql) => {
    for (let i = 1; i <= 150; i++) {
      await sql`update public.leads set ml_score = 2 where email = ${`old${i}@example.test`}`;
    }
  });
  await db.sql`select mautic.fold(2147483647)`;
  assert.deepEqual(await lanes(db, "outbox"), { bulk: 150 });
});

Deno.test("what counts as a bulk is a setting", async () => {
  await using db = await testDatabase();
  await db.sql`select mautic.set('bulk_rows', '2')`;
  await db.sql`insert into public.leads (email) values ('a@x.test'), ('b@x.test'), ('c@x.test')`;
  assert.deepEqual(await lanes(db, "logged_lead"), { bulk: 3 });
});

Deno.test("who takes over the address that another lead is about to leave comes after that one, whatever the lane", async () => {
  await using db = await testDatabase();
  await synced(db, 200);
  const ann = await insertLead(db.sql, "ann@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(ann, 1, "ann@example.test")]);
  // A bulk moves everybody to other addresses, and somebody new takes Ann's.
  await db.sql`update public.leads set email = 'moved-' || email`;
  const heir = await insertLead(db.sql, "ann@example.test");
  const order: string[] = [];
  while (!order.includes(heir)) {
    const { lease_token, items } = await claim(db.sql, worker);
    order.push(...items.map(({ lead_id }) => lead_id));
    const outcomes = items.map(({ lead_id, address }) =>
      lead_id === ann ? done(ann, 1, address) : { lead_id, result: "done" }
    );
    await settle(db.sql, lease_token, outcomes);
  }
  assert.ok(order.includes(ann) && order.indexOf(ann) < order.indexOf(heir));
});

Deno.test("a deletion is not forgotten for a bulk that was logged before it and is folded after", async () => {
  await using db = await testDatabase();
  await synced(db, 200);
  await db.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  await db.sql`update public.leads set ml_score = 2`;
  await db.sql`delete from public.leads where email = 'old7@example.test'`;
  // The deletion alone fits into the first fold.
  await db.sql`select mautic.fold(1)`;
  await db.sql`select mautic.fold(2147483647)`;
  const kept = await db.sql`select from mautic.outbox where removal = 'delete_contact'`;
  assert.equal(kept.count, 1);
});

Deno.test("the time of a column's last change does not go back for a bulk that is folded late", async () => {
  await using db = await testDatabase();
  await synced(db, 200);
  await db.sql`update public.leads set ml_score = 2`;
  await db.sql`update public.leads set ml_score = 3 where email = 'old7@example.test'`;
  const [last] = await db.sql<{ at: Date }[]>`
    select max(changed_at) as at from mautic.lead_change`;
  await db.sql`select mautic.fold(1)`;
  await db.sql`select mautic.fold(2147483647)`;
  const [row] = await db.sql<{ at: string }[]>`
    select times ->> 'ml_score' as at from mautic.lead_state where address = 'old7@example.test'`;
  assert.equal(Date.parse(row!.at), last?.at.getTime());
});
