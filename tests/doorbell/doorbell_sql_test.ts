import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { claim, insertLead, rings, startWorker } from "../support/leads.ts";

async function leave(
  sql: import("postgres").Sql | import("postgres").ReservedSql,
  worker: string,
): Promise<string> {
  const [row] = await sql<{ leave: string }[]>`select mautic.leave_worker(${worker}) as leave`;
  return row!.leave;
}

Deno.test("a write rings once a transaction, however many statements it has", async () => {
  await using db = await testDatabase();
  await db.sql.begin(async (sql) => {
    await sql`insert into public.leads (email) values ('a@example.test')`;
    await sql`insert into public.leads (email) values ('b@example.test')`;
    await sql`update public.leads set first_name = 'x'`;
  });
  assert.equal(await rings(db.sql), 1);
});

Deno.test("an import rings for two workers at once, and not while one is there", async () => {
  await using db = await testDatabase();
  const insert = (count: number) =>
    db.sql`insert into public.leads (email) select 'i' || i from generate_series(1, ${count}) i`;
  await insert(100);
  assert.equal(await rings(db.sql), 1);
  await db.sql`truncate mautic.lead_change, net.http_request_queue`;
  await insert(101);
  assert.equal(await rings(db.sql), 2);
  await insert(1);
  assert.equal(await rings(db.sql), 3, "what others left waiting is no import of this writer");
  await startWorker(db.sql);
  await insert(101);
  assert.equal(await rings(db.sql), 3);
});

Deno.test("a ring carries the key and the correlation id, and nothing of the lead", async () => {
  await using db = await testDatabase();
  await db.sql.begin(async (sql) => {
    await sql`select set_config('mautic.correlation_id', 'order-77', true)`;
    await insertLead(db.sql, "other-session@example.test");
    await sql`insert into public.leads (email) values ('private@example.test')`;
  });
  const queued = await db.sql<{ headers: Record<string, string>; body: string; url: string }[]>`
    select headers, convert_from(body, 'utf8') as body, url from net.http_request_queue
    where headers ->> 'X-Correlation-ID' = 'order-77'`;
  assert.equal(queued.length, 1);
  assert.deepEqual(JSON.parse(queued[0]!.body), { action: "drain" });
  assert.equal(queued[0]!.headers["apikey"], db.syncKey);
  assert.equal(queued[0]!.url, db.syncUrl);
  const logged = await db
    .sql`select correlation_id from mautic.lead_change where correlation_id = 'order-77'`;
  assert.equal(logged.length, 1);
});

Deno.test("a write rings nobody while a worker is there", async () => {
  await using db = await testDatabase();
  await startWorker(db.sql);
  await insertLead(db.sql, "quiet@example.test");
  assert.equal(await rings(db.sql), 0);
});

Deno.test("a dead worker's lease silences the bell only until it runs out", async () => {
  await using db = await testDatabase();
  await startWorker(db.sql, 0);
  await insertLead(db.sql, "loud@example.test");
  assert.equal(await rings(db.sql), 1);
});

Deno.test("a REPEATABLE READ writer always rings: its snapshot may be older than a worker's leaving", async () => {
  await using db = await testDatabase();
  const worker = await startWorker(db.sql);
  const writer = await db.sql.reserve();
  try {
    await writer`begin isolation level repeatable read`;
    await writer`select count(*) from mautic.worker`;
    assert.equal(await leave(db.sql, worker), "left");
    await writer`insert into public.leads (email) values ('rr@example.test')`;
    await writer`commit`;
  } finally {
    writer.release();
  }
  assert.equal(await rings(db.sql), 1);
});

Deno.test("a worker cannot leave between a writer's look and its commit", async () => {
  await using db = await testDatabase();
  const worker = await startWorker(db.sql);
  const writer = await db.sql.reserve();
  try {
    await writer`begin`;
    await writer`insert into public.leads (email) values ('between@example.test')`;
    assert.equal(await leave(db.sql, worker), "busy");
    await writer`commit`;
  } finally {
    writer.release();
  }
  assert.equal(
    await leave(db.sql, worker),
    "work",
    "it looks after it has the lock, and sees the commit",
  );
  assert.equal(await rings(db.sql), 0);
  assert.equal((await claim(db.sql, worker)).items.length, 1);
});

Deno.test("a writer that comes while a worker is leaving waits a moment, sees it gone, and rings", async () => {
  await using db = await testDatabase();
  const worker = await startWorker(db.sql);
  const leaver = await db.sql.reserve();
  try {
    await leaver`begin`;
    assert.equal(await leave(leaver, worker), "left");
    const written = insertLead(db.sql, "moment@example.test");
    // The writer is at the lock once Postgres says so.
    await db.until(async () => {
      const [row] = await db.sql<{ n: number }[]>`
        select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`;
      return row!.n === 1;
    });
    await leaver`commit`;
    await written;
  } finally {
    leaver.release();
  }
  assert.equal(await rings(db.sql), 1);
});

Deno.test("writers never wait for a worker that tries to leave while another writes", async () => {
  await using db = await testDatabase();
  const worker = await startWorker(db.sql);
  const slow = await db.sql.reserve();
  try {
    await slow`begin`;
    await slow`insert into public.leads (email) values ('slow@example.test')`;
    assert.equal(await leave(db.sql, worker), "busy");
    await db.sql.begin(async (sql) => {
      await sql`set local lock_timeout = '200ms'`;
      await sql`insert into public.leads (email) values ('fast@example.test')`;
    });
    await slow`rollback`;
  } finally {
    slow.release();
  }
});

Deno.test("rolling back to a savepoint takes the ring back, and the next write rings", async () => {
  await using db = await testDatabase();
  await db.sql.begin(async (sql) => {
    await sql`savepoint before`;
    await sql`insert into public.leads (email) values ('undone@example.test')`;
    await sql`rollback to savepoint before`;
    await sql`insert into public.leads (email) values ('kept@example.test')`;
  });
  assert.equal(await rings(db.sql), 1);
  const changes = await db.sql`select from mautic.lead_change`;
  assert.equal(changes.count, 1);
});

Deno.test("a transaction that rolls back rings nobody", async () => {
  await using db = await testDatabase();
  await assert.rejects(db.sql.begin(async (sql) => {
    await sql`insert into public.leads (email) values ('never@example.test')`;
    throw new Error("changed my mind");
  }));
  assert.equal(await rings(db.sql), 0);
});

Deno.test("a missing secret, a bad URL or a broken pg_net never breaks the application's write", async () => {
  await using db = await testDatabase();
  await db
    .sql`select vault.update_secret(id, 'not a url') from vault.secrets where name = 'mautic_sync_url'`;
  await insertLead(db.sql, "badurl@example.test");
  await db.sql`delete from vault.secrets where name = 'mautic_sync_key'`;
  await insertLead(db.sql, "nokey@example.test");
  await db.sql`select vault.create_secret(${db.syncKey}, 'mautic_sync_key')`;
  await db
    .sql`select vault.update_secret(id, ${db.syncUrl}) from vault.secrets where name = 'mautic_sync_url'`;
  await db.admin`alter table net.http_request_queue rename to away`;
  await insertLead(db.sql, "broken@example.test");
  await db.admin`drop extension pg_net cascade`;
  await insertLead(db.sql, "none@example.test");
  assert.equal((await db.sql`select from mautic.lead_change`).count, 4);
});

Deno.test("the sweep rings for what was left behind, and only then", async () => {
  await using db = await testDatabase();
  const sweep = async () =>
    (await db.sql<{ sweep: string }[]>`select mautic.sweep() as sweep`)[0]!.sweep;
  assert.equal(await sweep(), "idle");
  await insertLead(db.sql, "lost-ring@example.test");
  await db.sql`truncate net.http_request_queue`;
  assert.equal(await sweep(), "rang");
  assert.equal(await rings(db.sql), 1);
  await startWorker(db.sql);
  assert.equal(await sweep(), "worker");
});

Deno.test("there are never more workers than allowed", async () => {
  await using db = await testDatabase();
  const started = await Promise.all(Array.from({ length: 8 }, async () => {
    const [row] = await db.sql<{ ok: boolean }[]>`
      select mautic.start_worker(${crypto.randomUUID()}, 2, 60000) as ok`;
    return row!.ok;
  }));
  assert.equal(started.filter(Boolean).length, 2);
});

Deno.test("a writer and a leaving worker, at once and again and again, strand no row", async () => {
  await using db = await testDatabase();
  const sessions = await Promise.all(Array.from({ length: 3 }, () => db.sql.reserve()));
  const [leaver, writer, other] = sessions;
  assert.ok(leaver && writer && other);
  try {
    for (let round = 0; round < 400; round++) {
      const worker = await startWorker(db.sql);
      const email = `round${round}@example.test`;
      // In every second round the worker has a longer way to its look, in the others the writer.
      const [left] = await Promise.all([
        leave(leaver, worker),
        insertLead(writer, email),
        round % 2 === 0 ? other`select 1` : insertLead(other, `other-${email}`),
      ]);
      const rung = await rings(db.sql) > 0;
      assert.ok(left !== "left" || rung, `round ${round}: the worker left and nobody rang`);
      await db.sql`truncate net.http_request_queue`;
      await db.sql`delete from mautic.lead_change`;
      await db.sql`delete from mautic.worker`;
    }
  } finally {
    for (const session of sessions) session.release();
  }
});
