import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import { deadReasons, describeError } from "shared/errors/codes.ts";
import { claim, insertLead, settle, startWorker } from "../support/leads.ts";

Deno.test("mautic.status tells depth, ages, workers and reasons in one row", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  for (const name of ["done", "dead", "waits", "held"]) {
    await insertLead(sql, `${name}@example.test`);
  }
  const worker = await startWorker(sql);
  const taken = await claim(sql, worker);
  await settle(sql, taken.lease_token, [
    { lead_id: taken.items[0]!.lead_id, result: "done", action: "created", contact_id: 1 },
    { lead_id: taken.items[1]!.lead_id, result: "dead", error_code: "duplicate_contact" },
    {
      lead_id: taken.items[2]!.lead_id,
      result: "retry",
      delay_ms: 60_000,
      error_code: "server_failed",
    },
  ]);
  await insertLead(sql, "fresh@example.test");
  await sql`update mautic.lead_change set changed_at = changed_at - interval '7 minutes'`;

  const [row] = await sql<Record<string, unknown>[]>`
    select pending, leased, waiting, dead, dead_by_reason, due_now, unfolded, workers_alive,
      sent_last_hour, failed_last_hour, paused, circuit,
      extract(epoch from oldest_due_age)::int / 60 as due_minutes,
      latency_median_ms between 0 and 60000 as has_median,
      latency_p95_ms >= latency_median_ms as has_p95,
      last_sent_at is not null as has_sent, token_expires_at, last_webhook_at
    from mautic.status`;
  assert.deepEqual({ ...row }, {
    pending: "0",
    leased: "1",
    waiting: "1",
    dead: "1",
    dead_by_reason: { duplicate_contact: 1 },
    due_now: "0",
    unfolded: "1",
    workers_alive: "1",
    sent_last_hour: "1",
    failed_last_hour: "2",
    paused: false,
    circuit: "closed",
    due_minutes: 7,
    has_median: true,
    has_p95: true,
    has_sent: true,
    token_expires_at: null,
    last_webhook_at: null,
  });
});

Deno.test("on an empty database every value of mautic.status is there or null, and nothing fails", async () => {
  await using db = await testDatabase();
  const rows = await db.sql`select * from mautic.status`;
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.["oldest_pending_age"], null);
  const [read] = await db.sql<{ read_status: Record<string, unknown> }[]>`
    select mautic.read_status()`;
  assert.equal(read?.read_status["oldest_due_age_ms"], null);
});

Deno.test("a replay's or a repeated lead's age does not spoil the latency", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "old@example.test", { updated_at: "2020-01-01T00:00:00Z" });
  const worker = await startWorker(db.sql);
  await claim(db.sql, worker);
  await db.sql`delete from mautic.outbox`;
  await db.sql`select mautic.replay(${id})`;
  const taken = await claim(db.sql, worker);
  await settle(db.sql, taken.lease_token, [{ lead_id: id, result: "done" }]);
  const [row] = await db.sql<{ latency_ms: number | null }[]>`
    select latency_ms from mautic.sync_history`;
  assert.equal(row?.latency_ms, null);
});

Deno.test("a dead letter shows the remedy of whoever gave it up, or where to look", async () => {
  await using db = await testDatabase();
  const told = await insertLead(db.sql, "told@example.test");
  const untold = await insertLead(db.sql, "untold@example.test");
  const { lease_token } = await claim(db.sql, await startWorker(db.sql));
  await settle(db.sql, lease_token, [
    { lead_id: told, result: "dead", error_code: "field_refused", error_remedy: "Do this." },
    { lead_id: untold, result: "dead", error_code: "unheard_of" },
  ]);
  const letters = await db.sql<{ lead_id: string; remedy: string }[]>`
    select lead_id, remedy from mautic.dead_letter`;
  const remedies = Object.fromEntries(letters.map(({ lead_id, remedy }) => [lead_id, remedy]));
  assert.equal(remedies[told], "Do this.");
  assert.match(remedies[untold] ?? "", /^Look at last_error/);
  assert.equal(new Set(deadReasons.map((code) => describeError(code).remedy)).size, 6);
});

Deno.test("lead_history() and dead_letter tell a lead's story without its address", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "story@example.test", {
    crm_status: "qualified",
    marketing_opt_in: true,
    ml_score: 90,
  });
  await sync.drain();
  await sync.sql`update public.leads set email = 'jos é@example.test' where id = ${id}`;
  await sync.drain();
  await sync.sql`
    update mautic.outbox set error_message = error_message || ' (given: ann.lee@mail.example.co.uk, "x y"@b.org)'`;
  await sync.sql`
    insert into public.lead_activity (lead_id, type, detail)
    values (${id}, 'note', ${sync.sql.json({ address: "story@example.test" })})`;

  const rows = await sync.sql<{ event: string; detail: Record<string, unknown> }[]>`
    select event, detail from mautic.lead_history(${id})`;
  const events = rows.map((row) => row.event);
  for (
    const event of ["sync_done", "sync_dead", "linked", "enrollment_confirmed", "now_dead", "note"]
  ) {
    assert.ok(events.includes(event), `${event} of ${events.join()}`);
  }
  const sent = rows.find((row) => row.event === "sync_done");
  assert.equal(sent?.detail["action"], "created");
  assert.equal(sent?.detail["contact_id"], sync.mautic.contactByEmail("story@example.test")?.id);
  const letters = await sync.sql<Record<string, unknown>[]>`
    select lead_id, reason, remedy, last_error from mautic.dead_letter`;
  assert.equal(letters[0]?.["reason"], "invalid_email");
  assert.match(String(letters[0]?.["remedy"]), /Correct/);
  assert.match(String(letters[0]?.["last_error"]), /a\*\*\*@m\*\*\*\.uk/);
  const said = JSON.stringify([rows, letters]);
  for (const secret of ["story@", "ann.lee", "b.org", "mail.example"]) {
    assert.ok(!said.includes(secret), `${secret} in ${said}`);
  }
});

Deno.test("the age of the last webhook is that of Mautic's own, not of somebody's test", async () => {
  await using db = await testDatabase();
  const receive = (body: string, isTest: boolean) =>
    db.sql`select mautic.receive_delivery(
      p_body => ${body}, p_events => '[]', p_origin => null, p_is_test => ${isTest}, p_correlation_id => 'c')`;
  const last = async () => {
    const [row] = await db.sql<
      { at: Date | null }[]
    >`select last_webhook_at as at from mautic.status`;
    return row?.at;
  };
  await receive("{}", false);
  const own = await last();
  assert.ok(own);
  await receive('{"timestamp":"now"}', true);
  assert.deepEqual(await last(), own);
});
