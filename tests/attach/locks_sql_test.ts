import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { endsOrWaits } from "../support/locks.ts";
import { migrations, session, takeChanges } from "./support.ts";

Deno.test("a reader's open transaction keeps attach from nothing, and readers and writers pass after it", async () => {
  await using db = await testDatabase();
  await db.sql`create table public.customer (id int primary key, email text)`;
  const reader = session(db);
  await reader.begin(async (sql) => {
    await sql`select * from public.customer`;
    await db.sql`select mautic.attach('public.customer', source => 'customer')`;
    await db.sql`insert into public.customer values (1, 'a@example.test')`;
  });
  await reader.end();
  assert.deepEqual(await takeChanges(db.sql), ["insert customer:1"]);
});

for (
  const [what, statement] of [
    ["a writer", "insert into public.customer values (1, 'a@example.test')"],
    ["a DDL statement", "alter table public.customer add column note text"],
    ["an explicit lock", "lock table public.customer in share mode"],
  ] as const
) {
  Deno.test(`${what} in an open transaction: attach gives up after two seconds, names the session and changes nothing`, async () => {
    await using db = await testDatabase();
    await db.sql`create table public.customer (id int primary key, email text)`;
    const other = session(db);
    await other.begin(async (sql) => {
      const [pid] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await sql.unsafe(statement);
      const began = performance.now();
      await assert.rejects(
        db.sql`select mautic.attach('public.customer', source => 'customer')`.execute(),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "55P03");
          assert.match(
            error.message,
            new RegExp(`public\\.customer is held .*pid ${pid?.pid}, since`),
          );
          return true;
        },
      );
      const took = performance.now() - began;
      assert.ok(took > 1500 && took < 4000, `${took} ms`);
      assert.equal(
        (await db.sql`select from mautic.attachment where source = 'customer'`).count,
        0,
      );
      assert.equal((await db.sql`select from pg_proc where proname like '%customer%'`).count, 0);
    });
    await other.end();
    await db.sql`select mautic.attach('public.customer', source => 'customer')`;
    await db.sql`update public.customer set email = 'b@example.test'`;
    await db.sql`insert into public.customer values (2, 'a@example.test')`;
    assert.ok((await takeChanges(db.sql)).includes("insert customer:2"));
  });
}

Deno.test("the push fails rather than leave a table that is held unattached, and can be made again", async () => {
  await using db = await testDatabase({ migrations: false });
  await db.sql`create table public.leads (id int primary key, email text)`;
  const files = await migrations();
  const last = files.pop()!;
  for (const { text } of files) await db.sql.begin((sql) => sql.unsafe(text).simple());
  const writer = session(db);
  await writer.begin(async (sql) => {
    await sql`insert into public.leads values (1, 'a@example.test')`;
    await assert.rejects(
      db.sql.begin((push) => push.unsafe(last.text).simple()),
      /public\.leads is held/,
    );
  });
  await writer.end();
  await db.sql.begin((push) => push.unsafe(last.text).simple());
  assert.equal((await db.sql`select from mautic.attachment where relation is not null`).count, 1);
});

Deno.test("attached again it asks for no lock: neither a reader nor a writer keeps it, nor is kept", async () => {
  await using db = await testDatabase();
  await db.sql`create table public.customer (id int primary key, email text)`;
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  const triggers = () =>
    db.sql`select t.oid, t.tgname from pg_trigger t where t.tgrelid = 'public.customer'::regclass order by oid`;
  const before = await triggers();
  const other = session(db);
  await other.begin(async (sql) => {
    await sql`insert into public.customer values (1, 'a@example.test')`;
    await db.sql.begin(async (push) => {
      await push`select mautic.attach('public.customer', source => 'customer')`;
      await push`select mautic.map_field('note', 'l.email', source => 'customer')`;
      const locks = await push`
        select distinct mode from pg_locks
        where relation = 'public.customer'::regclass and pid = pg_backend_pid() and mode <> 'AccessShareLock'`;
      assert.deepEqual([...locks], []);
      await sql`update public.customer set email = 'b@example.test'`;
    });
  });
  await other.end();
  assert.deepEqual([...await triggers()], [...before]);
});

Deno.test("the table that a source had before is let go although somebody reads it still", async () => {
  await using db = await testDatabase();
  await db.sql`create table public.customer (id int primary key, email text)`;
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  await db.sql`create table public.customer_new (like public.customer including all)`;
  await db.sql`alter table public.customer rename to customer_old`;
  await db.sql`alter table public.customer_new rename to customer`;
  const reader = session(db);
  await reader.begin(async (sql) => {
    await sql`select * from public.customer_old`;
    await db.sql`select mautic.attach('public.customer', source => 'customer')`;
    await db.sql`insert into public.customer values (1, 'a@example.test')`;
  });
  await reader.end();
  assert.ok((await takeChanges(db.sql)).includes("insert customer:1"));
  await db.sql`select mautic.attach('public.customer', source => 'customer')`;
  assert.equal(
    (await db.sql`select from pg_trigger where tgrelid = 'public.customer_old'::regclass`).count,
    0,
  );
});

Deno.test("detach gives up after two seconds, names who holds the table and changes nothing", async () => {
  await using db = await testDatabase();
  const writer = session(db);
  await writer.begin(async (sql) => {
    await sql`insert into public.leads (email) values ('a@example.test')`;
    await assert.rejects(
      db.sql`select mautic.detach('lead')`.execute(),
      /public\.leads is held.*pid \d+/,
    );
  });
  await writer.end();
  assert.equal((await takeChanges(db.sql)).length, 1);
});

for (
  const [what, statement] of Object.entries({
    attach: "select mautic.attach('public.customer', source => 'customer')",
    map_field: "select mautic.map_field('note', 'l.email')",
    unmap_field: "select mautic.unmap_field('company')",
    detach: "select mautic.detach('other')",
    watch: "select mautic.watch('public.firm', 'select p.id from public.leads p')",
    unwatch: "select mautic.unwatch('public.watched')",
    bulk_rows: "select mautic.set('bulk_rows', '7')",
  })
) {
  Deno.test(`${what} beside attach waits for it, and both are done`, async () => {
    await using db = await testDatabase();
    await db.sql.unsafe(`create table public.customer (id int primary key, email text);
      create table public.other (id int primary key, email text);
      create table public.firm (id int primary key);
      create table public.watched (id int primary key)`);
    await db.sql`select mautic.attach('public.other', source => 'other')`;
    await db.sql`select mautic.watch('public.watched', 'select p.id from public.leads p')`;
    const [first, second] = [session(db), session(db)];
    let beside: Promise<unknown> | undefined;
    await first.begin(async (sql) => {
      await sql`select mautic.attach('public.customer', source => 'customer')`;
      beside = second.unsafe(statement).execute();
      beside.catch(() => {});
      await endsOrWaits(db, beside);
    });
    await beside;
    await Promise.all([first.end(), second.end()]);
  });
}

Deno.test("a migration that alters a table and attaches it passes a claim that waits for that table", async () => {
  await using db = await testDatabase();
  await db.sql`insert into public.leads (email) values ('a@example.test')`;
  const [worker, push] = [session(db), session(db)];
  await push.begin(async (sql) => {
    await sql`alter table public.leads add column note text`;
    const claim = worker.begin(async (held) => {
      await held`select pg_advisory_xact_lock(mautic.claim_lock())`;
      await held`select mautic.fold(10)`;
    });
    claim.catch(() => {});
    await endsOrWaits(db, claim);
    await sql`select mautic.attach('public.leads')`;
    await sql`select mautic.map_field('note', 'note')`;
  });
  await Promise.all([worker.end(), push.end()]);
  assert.equal((await db.sql`select from mautic.check_shape()`).count, 0);
});
