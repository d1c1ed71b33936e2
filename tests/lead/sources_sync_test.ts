import assert from "node:assert/strict";
import { startSync, type Sync } from "../support/sync.ts";

async function newsletter(sync: Sync): Promise<void> {
  await sync.sql.unsafe(`
    create table public.newsletter_signup (
      id text primary key, email text, first_name text, company text, confirmed_at timestamptz
    )`);
  await sync.sql`select mautic.attach('public.newsletter_signup', source => 'newsletter', rank => 2,
    consent => 'confirmed_at')`;
}

const values = (sync: Sync, ...aliases: string[]) => {
  assert.equal(sync.mautic.contacts.size, 1);
  const [contact] = sync.mautic.contacts.values();
  return aliases.map((alias) => contact?.values.get(alias) ?? null);
};

Deno.test("several sources feed one person: by rank, and a blank is silence", async () => {
  await using sync = await startSync();
  await newsletter(sync);
  await sync
    .sql`insert into public.newsletter_signup values ('7', 'Ann@example.test', 'Annie', 'Acme')`;
  await sync.drain();
  assert.deepEqual(values(sync, "firstname", "company", "hki_lead_id"), [
    "Annie",
    "Acme",
    "newsletter:7",
  ]);

  const [lead] = await sync.sql`
    insert into public.leads (email, first_name, last_name) values ('ann@example.test', 'Ann', 'Lee')
    returning id`;
  await sync.drain();
  assert.deepEqual(values(sync, "firstname", "lastname", "company", "hki_lead_id"), [
    "Ann",
    "Lee",
    "Acme",
    lead?.["id"],
  ]);

  // The source of the higher rank changes last, and speaks of what the other says nothing of only.
  await sync.sql`update public.newsletter_signup set first_name = 'Nan', company = 'Bolt'`;
  await sync.drain();
  assert.deepEqual(values(sync, "firstname", "company"), ["Ann", "Bolt"]);
  await sync.sql`update public.leads set first_name = null`;
  await sync.drain();
  assert.deepEqual(values(sync, "firstname", "lastname"), ["Nan", "Lee"]);
});

Deno.test("keys of the first source that look like another's id are that source's none the less", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.detach('lead')`;
  await sync.sql.unsafe(`create table public.person (id text primary key, email text)`);
  await sync.sql`select mautic.attach('public.person')`;
  await newsletter(sync);
  const keys = ["7", "newsletter:7", "contact:1", ":7", "::7", "erase:x"];
  for (const [n, key] of keys.entries()) {
    await sync.sql`insert into public.person values (${key}, ${`p${n}@example.test`})`;
  }
  await sync
    .sql`insert into public.newsletter_signup values ('7', 'n@example.test'), (':7', 'm@example.test')`;
  await sync.drain();
  const ids = await sync.sql<{ address: string; lead_id: string }[]>`
    select c.address, k.lead_id from mautic.contact_link k
    join mautic.contact c on c.contact_id = k.contact_id order by 1`;
  assert.deepEqual(
    Object.fromEntries(ids.map(({ address, lead_id }) => [address.split("@")[0], lead_id])),
    {
      m: "newsletter::7",
      n: "newsletter:7",
      p0: "7",
      p1: ":newsletter:7",
      p2: ":contact:1",
      p3: "::7",
      p4: ":::7",
      p5: ":erase:x",
    },
  );
});

Deno.test("what the first source no longer gives is not said by the second in its place, and comes once it is mended", async () => {
  await using sync = await startSync();
  await newsletter(sync);
  await sync.sql`insert into public.leads (email, first_name) values ('ann@example.test', 'Ann')`;
  await sync
    .sql`insert into public.newsletter_signup values ('7', 'ann@example.test', 'Annie', 'Acme')`;
  await sync.drain();
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(values(sync, "firstname", "company"), ["Ann", "Acme"]);
  await sync.sql`alter table public.leads rename column first_name to given_name`;
  await sync.sql`update public.newsletter_signup set first_name = 'Nan', company = 'Bolt'`;
  await sync.drain();
  assert.deepEqual(values(sync, "firstname", "company"), ["Ann", "Bolt"]);
});
