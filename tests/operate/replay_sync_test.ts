import assert from "node:assert/strict";
import type postgres from "postgres";
import { testDatabase } from "../support/database.ts";
import { claim, done, insertLead, outbox, rings, settle, startWorker } from "../support/leads.ts";

interface Counts {
  matched: number;
  queued: number;
  already_queued: number;
}

async function replayWhere(sql: postgres.Sql, filter: string): Promise<Counts> {
  const [row] = await sql.unsafe<{ counts: Counts }[]>(
    `select mautic.replay_where(${filter}) as counts`,
  );
  return row!.counts;
}

/** Inserts leads and settles them as done, so that nothing is queued. */
async function syncedLeads(sql: postgres.Sql, emails: string[], more = {}): Promise<string[]> {
  const ids: string[] = [];
  for (const email of emails) ids.push(await insertLead(sql, email, more));
  const worker = await startWorker(sql);
  const taken = await claim(sql, worker);
  await settle(
    sql,
    taken.lease_token,
    taken.items.map((item, index) => ({
      ...done(item.lead_id, 100 + index, item.address),
      shows_lead: true,
      changed_at: new Date().toISOString(),
    })),
  );
  await sql`delete from mautic.worker`;
  return ids;
}

Deno.test("a lead inserted during a backfill of 20,000 is in the very next batch", async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.leads disable trigger user`;
  await db.sql`
    insert into public.leads (email)
    select 'old' || i || '@example.test' from generate_series(1, 20000) i`;
  await db.sql`alter table public.leads enable trigger user`;
  assert.deepEqual(await replayWhere(db.sql, "never_synced => true, confirm => true"), {
    matched: 20_000,
    queued: 20_000,
    already_queued: 0,
    known: 20_000,
    without_consent: 20_000,
  });
  const worker = await startWorker(db.sql);
  assert.equal((await claim(db.sql, worker)).items.length, 50);
  const fresh = await insertLead(db.sql, "fresh@example.test");
  const next = await claim(db.sql, worker);
  assert.equal(next.items[0]?.lead_id, fresh);
  assert.equal(next.items.length, 50, "the backfill goes on in the same batch");
});

Deno.test("replay_where() queues what each filter says, and rings once", async () => {
  await using db = await testDatabase();
  const [ann, bob] = await syncedLeads(db.sql, ["ann@example.test", "bob@example.test"], {
    crm_status: "qualified",
    updated_at: "2026-02-01T00:00:00Z",
  });
  await db.sql`alter table public.leads disable trigger user`;
  const never = await insertLead(db.sql, "never@example.test", {
    crm_status: "new",
    updated_at: "2026-03-01T00:00:00Z",
  });
  await db.sql`alter table public.leads enable trigger user`;
  await db.sql`truncate net.http_request_queue`;

  const filters: [string, (string | undefined)[]][] = [
    ["crm_status => '{qualified,converted}'", [ann, bob]],
    ["changed_since => '2026-02-15'", [never]],
    ["changed_until => '2026-02-15', crm_status => '{new}'", []],
    ["never_synced => true", [never]],
    ["synced_since => now() - interval '1 hour'", [ann, bob]],
    ["synced_until => now() - interval '1 hour'", []],
    ["everything => true", [ann, bob, never]],
  ];
  for (const [filter, expected] of filters) {
    await db.sql`truncate mautic.lead_change, net.http_request_queue`;
    const counts = await replayWhere(db.sql, `${filter}, confirm => true`);
    const queued = await db.sql<{ lead_id: string; lane: string; cause: string }[]>`
      select lead_id, lane, cause from mautic.logged_lead`;
    assert.deepEqual(queued.map((row) => row.lead_id).sort(), [...expected].sort(), filter);
    assert.ok(queued.every((row) => row.lane === "backfill" && row.cause === "replay"));
    assert.equal(counts.queued, expected.length);
    assert.equal(await rings(db.sql), expected.length > 0 ? 1 : 0, filter);
  }
});

Deno.test("replay_where() revives dead letters by reason", async () => {
  await using db = await testDatabase();
  const ids = [
    await insertLead(db.sql, "a@example.test"),
    await insertLead(db.sql, "b@example.test"),
  ];
  const worker = await startWorker(db.sql);
  const taken = await claim(db.sql, worker);
  await settle(db.sql, taken.lease_token, [
    { lead_id: ids[0]!, result: "dead", error_code: "duplicate_contact", error_message: "x" },
    { lead_id: ids[1]!, result: "dead", error_code: "invalid_email", error_message: "x" },
  ]);
  assert.equal((await replayWhere(db.sql, "dead_reason => 'field_refused'")).matched, 0);
  assert.equal((await replayWhere(db.sql, "dead_reason => 'duplicate_contact'")).queued, 1);
  assert.deepEqual((await claim(db.sql, worker)).items.map((item) => item.lead_id), [ids[0]]);
  assert.equal((await replayWhere(db.sql, "dead_reason => 'any'")).queued, 1);
});

Deno.test("asking for a replay twice queues it once; a forced one comes on top of a plain one", async () => {
  await using db = await testDatabase();
  const [id] = await syncedLeads(db.sql, ["twice@example.test"]);
  const all = "everything => true";
  assert.equal((await replayWhere(db.sql, all)).queued, 1);
  assert.deepEqual(await replayWhere(db.sql, all), {
    matched: 1,
    queued: 0,
    already_queued: 1,
    known: 0,
    without_consent: 0,
  });
  const [single] = await db.sql<{ n: number }[]>`select mautic.replay(${id!}) as n`;
  assert.equal(single?.n, 0);
  assert.equal((await replayWhere(db.sql, `${all}, force => true`)).queued, 1);
  assert.equal((await replayWhere(db.sql, `${all}, force => true`)).queued, 0);
  const taken = await claim(db.sql, await startWorker(db.sql));
  assert.deepEqual(taken.items.map((item) => item.lead_id), [id]);
});

Deno.test("a replay never makes an older lead of a person win over a newer one", async () => {
  await using db = await testDatabase();
  await syncedLeads(db.sql, ["shared@example.test"], { updated_at: "2026-05-01T00:00:00Z" });
  await db.sql`alter table public.leads disable trigger user`;
  const older = await insertLead(db.sql, "shared@example.test", {
    updated_at: "2026-04-01T00:00:00Z",
  });
  await db.sql`alter table public.leads enable trigger user`;
  await replayWhere(db.sql, "never_synced => true, confirm => true");
  const taken = await claim(db.sql, await startWorker(db.sql));
  assert.deepEqual(taken.items.map((item) => [item.lead_id, item.superseded]), [[older, true]]);
});

Deno.test("a replay does not cut short what waits", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "wait@example.test");
  const worker = await startWorker(db.sql);
  const taken = await claim(db.sql, worker);
  await settle(db.sql, taken.lease_token, [
    { lead_id: id, result: "ambiguous", delay_ms: 60_000 },
  ]);
  assert.equal((await replayWhere(db.sql, "everything => true, force => true")).queued, 1);
  assert.deepEqual((await claim(db.sql, worker)).items, []);
  assert.deepEqual((await outbox(db.sql)).map((row) => row.state), ["waiting"]);
});

for (
  const [what, filter, message] of [
    ["no filter", "", /no filter[^]*everything => true/],
    ["only force", "force => true", /no filter/],
    [
      "a filter and everything",
      "everything => true, crm_status => '{new}'",
      /Leave one of them out/,
    ],
  ] as const
) {
  Deno.test(`replay_where() refuses ${what} and names the remedy`, async () => {
    await using db = await testDatabase();
    await assert.rejects(replayWhere(db.sql, filter), message);
  });
}

Deno.test("replay_where() by time refuses a table that tells no time", async () => {
  await using db = await testDatabase();
  await assert.rejects(
    replayWhere(db.sql, "changed_since => now()"),
    /tell no time of change[^]*changed_at => /,
  );
});
