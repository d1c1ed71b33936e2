import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";
import { origin } from "../support/leads.ts";

interface Acquired {
  state: "cached" | "refresh" | "wait";
  sealed?: string;
  retry_ms?: number;
}

async function acquire(sql: postgres.Sql, holder: string, holdMs = 60_000): Promise<Acquired> {
  const [row] = await sql<{ answer: Acquired }[]>`
    select mautic.acquire_token(${origin}, 'client', ${holder}, ${holdMs}) as answer`;
  return row!.answer;
}

async function store(
  sql: postgres.Sql,
  holder: string,
  sealed: string,
  lifeSeconds: number,
): Promise<void> {
  await sql`
    select mautic.store_token(${origin}, 'client', ${holder}, ${sealed}, mautic.clock() + ${lifeSeconds} * interval '1 second')`;
}

Deno.test("of many that want a token at once, one fetches it", async () => {
  await using db = await testDatabase();
  const holders = Array.from({ length: 12 }, () => crypto.randomUUID());
  const answers = await Promise.all(holders.map((holder) => acquire(db.sql, holder)));
  assert.equal(answers.filter((answer) => answer.state === "refresh").length, 1);
  assert.ok(
    answers.filter((answer) => answer.state === "wait").every((answer) => answer.retry_ms! > 0),
  );
});

Deno.test("a stored token is cached until 60 s before its end", async () => {
  await using db = await testDatabase();
  const holder = crypto.randomUUID();
  await acquire(db.sql, holder);
  await store(db.sql, holder, "sealed-1", 3600);
  assert.deepEqual((await acquire(db.sql, crypto.randomUUID())).sealed, "sealed-1");
  await db
    .sql`update mautic.oauth_token set expires_at = mautic.clock() + interval '59 seconds', stored_at = stored_at - interval '1 hour'`;
  assert.equal((await acquire(db.sql, crypto.randomUUID())).state, "refresh");
});

Deno.test("a token that lives shorter than the margin is used for half its life", async () => {
  await using db = await testDatabase();
  const holder = crypto.randomUUID();
  await acquire(db.sql, holder);
  await store(db.sql, holder, "short", 30);
  assert.equal((await acquire(db.sql, crypto.randomUUID())).state, "cached");
});

Deno.test("a holder that died is succeeded, and cannot replace its successor's token", async () => {
  await using db = await testDatabase();
  const dead = crypto.randomUUID();
  const next = crypto.randomUUID();
  await acquire(db.sql, dead, 0);
  assert.equal((await acquire(db.sql, next)).state, "refresh");
  await store(db.sql, dead, "stale", 3600);
  await store(db.sql, next, "fresh", 3600);
  assert.equal((await acquire(db.sql, crypto.randomUUID())).sealed, "fresh");
});

Deno.test("dropping forgets only the token that was refused; releasing lets the next one fetch", async () => {
  await using db = await testDatabase();
  const holder = crypto.randomUUID();
  await acquire(db.sql, holder);
  await store(db.sql, holder, "good", 3600);
  await db.sql`select mautic.drop_token(${origin}, 'client', 'another')`;
  assert.equal((await acquire(db.sql, crypto.randomUUID())).state, "cached");
  await db.sql`select mautic.drop_token(${origin}, 'client', 'good')`;
  const next = crypto.randomUUID();
  assert.equal((await acquire(db.sql, next)).state, "refresh");
  await db.sql`select mautic.release_token(${origin}, 'client', ${next})`;
  assert.equal((await acquire(db.sql, crypto.randomUUID())).state, "refresh");
});
