import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const addresses = ({ mautic }: Sync) =>
  [...mautic.contacts.values()].map(({ values }) => values.get("email")).sort();

/** A project whose function nobody has let send yet: a clone of one that was, for instance. */
async function notLive(): Promise<Sync> {
  const sync = await startSync();
  await sync.sql`update mautic.deployment set project = 'the-original'`;
  return sync;
}

Deno.test("nothing leaves before go_live(), not by itself and not by a call; then all that was queued goes out", async () => {
  await using sync = await notLive();
  await insertLead(sync.sql, "a@example.test");
  await sync.drain();
  const called = await sync.call({
    action: "upsert_contact",
    payload: { id: "x", contact: { email: "x@example.test" } },
  });
  assert.deepEqual([called.status, called.answer.error?.code], [503, "not_live"]);
  const enrolled = await sync.call({
    action: "add_to_campaign",
    mauticContactId: 1,
    campaignId: 1,
  });
  assert.equal(enrolled.answer.error?.code, "not_live");
  assert.deepEqual(addresses(sync), []);
  assert.equal(sync.mautic.requests.length, 0, "Mautic is not even asked for a token");

  const [own] = await sync.sql`
    select project, origin from mautic.deployment where project <> 'the-original'`;
  await assert.rejects(
    sync.sql`select mautic.go_live()`.execute(),
    (error: Error) => {
      const [, first, second] = error.message.split("\n");
      assert.equal(first, `select mautic.go_live('${own?.["project"]}', '${own?.["origin"]}');`);
      assert.match(second ?? "", /'the-original'.* -- it is live$/);
      return true;
    },
  );
  const [said] = await sync.sql`select mautic.go_live(project => ${own?.["project"]}) as answer`;
  assert.match(said?.["answer"], /sends to http[^]*1 leads are queued/);
  await sync.drain();
  assert.deepEqual(addresses(sync), ["a@example.test"]);
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("one chosen lead is sent before go_live(), the others wait", async () => {
  await using sync = await notLive();
  const id = await insertLead(sync.sql, "chosen@example.test");
  await insertLead(sync.sql, "other@example.test");
  await sync.sql`select mautic.send(${id})`;
  await sync.drain();
  assert.deepEqual(addresses(sync), ["chosen@example.test"]);
  assert.equal((await outbox(sync.sql)).length, 1);
});

Deno.test("where nothing may be sent the sweep calls nobody", async () => {
  await using sync = await notLive();
  await insertLead(sync.sql, "a@example.test");
  await sync.drain();
  const [swept] = await sync.sql`select mautic.sweep() as answer`;
  assert.equal(swept?.["answer"], "idle");
});

Deno.test("which function asked last is known to the minute", async () => {
  await using db = await testDatabase();
  const asks = (project: string) => db.sql`select mautic.is_live(${project}, 'https://m')`;
  const last = async () =>
    (await db.sql`select project from mautic.deployment order by seen_at desc limit 1`)[0]
      ?.["project"];
  await asks("first");
  await db.sql`update mautic.deployment set seen_at = seen_at - interval '2 minutes'`;
  await asks("second");
  assert.equal(await last(), "second");
  await asks("first");
  assert.equal(await last(), "first");
  const [before] = await db.sql`select xmin::text from mautic.deployment where project = 'first'`;
  await asks("first");
  assert.deepEqual(
    await db.sql`select xmin::text from mautic.deployment where project = 'first'`.then(([row]) =>
      row
    ),
    before,
  );
});

Deno.test("go_live() without arguments is about the only pair that asked", async () => {
  await using db = await testDatabase();
  await db.sql`select mautic.is_live('only', 'https://m')`;
  const [said] = await db.sql`select mautic.go_live() as answer`;
  assert.match(said?.["answer"], /^only sends to https:\/\/m/);
});

Deno.test("go_live() says what to do where no function has asked, and send() where there is no such lead", async () => {
  await using sync = await startSync();
  await sync.sql`delete from mautic.deployment where true`;
  await assert.rejects(sync.sql`select mautic.go_live()`.execute(), /mautic\.ring\('go-live'\)/);
  await assert.rejects(sync.sql`select mautic.send('nobody')`.execute(), /no lead with the key/);
});

Deno.test("rows that were there before are sent by a confirmed replay, and of contacts that are in Mautic already only blanks are filled", async () => {
  await using sync = await startSync();
  const created = await sync.call({
    action: "upsert_contact",
    payload: {
      id: "elsewhere",
      contact: { email: "known@example.test", first_name: "By hand", last_name: "" },
    },
  });
  assert.equal(created.status, 200);
  await sync.sql`delete from mautic.contact where true`;
  await sync.sql`delete from mautic.contact_link where true`;
  await sync.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into public.leads (email, first_name, last_name) values
      ('known@example.test', 'By row', 'Last'), ('fresh@example.test', 'Fresh', 'Lead')`;
  });
  const [numbers] = await sync.sql`select mautic.replay_where(everything => true) as answer`;
  assert.deepEqual(numbers?.["answer"], {
    matched: 2,
    queued: 0,
    already_queued: 0,
    known: 2,
    without_consent: 2,
  });
  await sync.drain();
  assert.deepEqual(addresses(sync), ["known@example.test"]);

  await sync.sql`select mautic.replay_where(everything => true, confirm => true)`;
  await sync.drain();
  const values = (address: string) => {
    const contact = sync.mautic.contactByEmail(address);
    return ["firstname", "lastname"].map((alias) => contact?.values.get(alias));
  };
  assert.deepEqual(values("known@example.test"), ["By hand", "Last"]);
  assert.deepEqual(values("fresh@example.test"), ["Fresh", "Lead"]);

  // From then on it is a lead as any other: an edit is news, and sends its value.
  await sync.sql`update public.leads set first_name = 'Edited' where email like 'known%'`;
  await sync.drain();
  assert.deepEqual(values("known@example.test"), ["Edited", "Last"]);
});

/** Rows that were there before their table was attached. */
async function known(sync: Sync, count: number): Promise<void> {
  await sync.sql`select mautic.set('bulk_rows', '3')`;
  await sync.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into public.leads (email, marketing_opt_in)
      select 'p' || i || '@example.test', true from generate_series(1, ${count}::int) i`;
  });
  await sync.sql`select mautic.read_unseen()`;
}

Deno.test("a single edit sends a row that was there before, a bulk change of all does not", async () => {
  await using sync = await startSync();
  await known(sync, 9);
  await sync.sql`update public.leads set ml_score = 5`;
  await sync.drain();
  assert.deepEqual(addresses(sync), []);
  await sync.sql`update public.leads set first_name = 'Ann' where email = 'p2@example.test'`;
  await sync.drain();
  assert.deepEqual(addresses(sync), ["p2@example.test"]);
});

Deno.test("a withdrawal in a bulk reaches whoever is in Mautic, changes nothing else of them, and makes no contact of the others", async () => {
  await using sync = await startSync();
  await sync.call({
    action: "upsert_contact",
    payload: { id: "x", contact: { email: "p7@example.test", first_name: "By hand" } },
  });
  await sync.sql`delete from mautic.contact_link where true`;
  await sync.sql`delete from mautic.contact where true`;
  await known(sync, 9);
  await sync.sql`update public.leads set first_name = 'By row', marketing_opt_in = false
    where email in ('p6@example.test', 'p7@example.test', 'p8@example.test', 'p9@example.test')`;
  await sync.drain();
  assert.deepEqual(addresses(sync), ["p7@example.test"]);
  const contact = sync.mautic.contactByEmail("p7@example.test");
  assert.deepEqual(
    [contact?.values.get("firstname"), contact?.doNotContact.length],
    ["By hand", 1],
  );
  assert.deepEqual(await outbox(sync.sql), []);
});

Deno.test("a table that is emptied and loaded anew each night stays known, and so does one whose column broke", async () => {
  await using sync = await startSync();
  await known(sync, 9);
  await sync.sql.begin(async (sql) => {
    await sql`create temporary table kept on commit drop as select * from public.leads`;
    await sql`truncate public.leads`;
    await sql`insert into public.leads select * from kept`;
  });
  await sync.drain();
  await sync.sql.begin(async (sql) => {
    await sql`create temporary table kept on commit drop as select * from public.leads`;
    await sql`delete from public.leads`;
    await sql`insert into public.leads select * from kept`;
  });
  await sync.drain();
  await sync.sql`alter table public.leads rename column phone to phone_number`;
  await sync.sql`update public.leads set ml_score = 6`;
  await sync.drain();
  await sync.sql`select mautic.attach('public.leads')`;
  await sync.drain();
  assert.deepEqual(addresses(sync), []);
  const [row] = await sync.sql`select known::int as n from mautic.status`;
  assert.equal(row?.["n"], 9);
  // Somebody new is sent, in whatever lane.
  await sync.sql`insert into public.leads (email)
    select 'new' || i || '@example.test' from generate_series(1, 5) i`;
  await sync.drain();
  assert.equal(addresses(sync).length, 5);
});

Deno.test("rows that were deleted softly when their table was attached are known, too, once they come back in a bulk", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('bulk_rows', '3')`;
  await sync.sql`alter table public.leads add column deleted_at timestamptz`;
  await sync.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into public.leads (email, deleted_at)
      select 'p' || i || '@example.test', now() from generate_series(1, 9) i`;
  });
  await sync.sql`select mautic.attach('public.leads')`;
  await sync.sql`select mautic.read_unseen()`;
  await sync.sql`update public.leads set deleted_at = null`;
  await sync.drain();
  assert.deepEqual(addresses(sync), []);
  const [row] = await sync.sql`select known::int as n from mautic.status`;
  assert.equal(row?.["n"], 9);
});
