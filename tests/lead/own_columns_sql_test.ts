import assert from "node:assert/strict";
import { migrate } from "../../local/supabase/migrate.ts";
import { leadPayloadSchema } from "shared/lead/payload.ts";
import { claim, settle, startWorker } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

// docs/adapt.md: "A table public.leads with a key id and an email needs nothing from this page";
// "crm_status and the rest may be of any type that turns into text".
Deno.test("columns of an existing table that turn into text are sent as text", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql`
    create table public.leads (
      id bigint generated always as identity primary key,
      email text not null,
      phone bigint,
      crm_status smallint,
      utm_campaign int
    )`;
  await migrate({ databaseUrl: db.url });
  await db.sql`
    insert into public.leads (email, phone, crm_status, utm_campaign)
    values ('a@example.test', 4930123456, 3, 42)`;
  const taken = await claim(db.sql, await startWorker(db.sql));
  const { fields, unreadable } = leadPayloadSchema.parse(taken.items[0]!.payload);
  assert.deepEqual(unreadable, []);
  assert.deepEqual(
    [fields["phone"], fields["hki_status"], fields["hki_utm_campaign"]],
    ["4930123456", "3", "42"],
  );
});

for (
  const [type, value] of [["bigint", "1767225600000"], ["text", "'Tue, 5 o''clock'"], [
    "time",
    "'10:00'",
  ]] as const
) {
  Deno.test(`an existing table whose updated_at is ${type} is replayed, or refused when it is migrated`, async () => {
    await using db = await testDatabase({ migrations: false });
    await db.sql.unsafe(`
      create table public.leads (
        id bigint generated always as identity primary key, email text not null,
        updated_at ${type} not null default ${value})`);
    try {
      await migrate({ databaseUrl: db.url });
    } catch (error) {
      // A shape that cannot work is to be refused by an error that names the column.
      return assert.match(String(error), /updated_at/);
    }
    await db.sql`insert into public.leads (email) values ('a@example.test')`;
    await db.sql`delete from mautic.lead_change`;
    await db.sql`select mautic.replay_where(everything => true)`;
  });
}

Deno.test("a lead that dies on a table whose updated_at is a number does not keep its batch from being settled", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql`
    create table public.leads (
      id bigint generated always as identity primary key, email text not null, first_name text,
      updated_at bigint not null default 1767225600000)`;
  await migrate({ databaseUrl: db.url });
  await db.sql`insert into public.leads (email) values ('a@example.test'), ('b@example.test')`;
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  const done = first.items.map((item, n) => ({
    lead_id: item.lead_id,
    result: "done",
    contact_id: n + 1,
    address: item.address,
    lead_address: item.address,
    shows_lead: true,
    changed_at: new Date().toISOString(),
  }));
  // A second lead of the person, so that there is somebody to be queued.
  await db.sql`insert into public.leads (email) values ('a@example.test')`;
  await settle(db.sql, first.lease_token, done);
  const second = await claim(db.sql, worker);
  await settle(
    db.sql,
    second.lease_token,
    second.items.map((item) => ({
      lead_id: item.lead_id,
      result: "done",
      contact_id: 1,
      address: item.address,
      lead_address: item.address,
      shows_lead: true,
      changed_at: new Date().toISOString(),
    })),
  );
  await db.sql`update public.leads set first_name = 'X' where id in (2, 3)`;
  const third = await claim(db.sql, worker);
  const settled = await settle(
    db.sql,
    third.lease_token,
    third.items.map((item) => ({
      lead_id: item.lead_id,
      result: "dead",
      error_code: "field_refused",
      error_message: "said no",
    })),
  );
  assert.equal(settled.settled, third.items.length);
});
