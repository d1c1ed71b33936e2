import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import { claim, insertLead, outbox, rings, startWorker } from "../support/leads.ts";
import { sending } from "./support.ts";

Deno.test("while paused changes queue, claims hand out nothing, and nobody rings", async () => {
  await using db = await testDatabase();
  await db.sql`select mautic.pause('maintenance')`;
  await db.sql`select mautic.pause()`;
  const id = await insertLead(db.sql, "later@example.test");
  assert.equal(await rings(db.sql), 0);
  assert.deepEqual([...await db.sql`select mautic.sweep()`], [{ sweep: "paused" }]);
  const worker = await startWorker(db.sql);
  const taken = await claim(db.sql, worker);
  assert.deepEqual([taken.state, taken.items], ["paused", []]);
  await db.sql`delete from mautic.worker`;

  assert.deepEqual([...await db.sql`select mautic.resume()`], [{ resume: "resumed, rang" }]);
  assert.equal(await rings(db.sql), 1);
  assert.deepEqual([...await db.sql`select mautic.resume()`], [{ resume: "not paused" }]);
  const again = await claim(db.sql, await startWorker(db.sql));
  assert.deepEqual(again.items.map((item) => item.lead_id), [id]);
});

Deno.test("resume() with nothing queued rings nobody", async () => {
  await using db = await testDatabase();
  await db.sql`select mautic.pause()`;
  assert.deepEqual([...await db.sql`select mautic.resume()`], [{
    resume: "resumed, nothing queued",
  }]);
  assert.equal(await rings(db.sql), 0);
});

Deno.test("a paused worker leaves at once, and no attempt is spent", async () => {
  await using sync = await startSync({ env: { MAUTIC_WORKER_LINGER_MS: "60000" } });
  await sync.sql`select mautic.pause()`;
  await insertLead(sync.sql, "later@example.test");
  await sync.drain();
  assert.equal(sync.mautic.requests.length, 0);
  assert.equal((await sync.sql`select from mautic.worker`).count, 0);
  assert.equal(await rings(sync.sql), 0);
  const drained = sync.log.find((line) => line["message"] === "drained");
  assert.equal(drained?.["ended"], "paused");
  assert.equal((await sending(sync.sql)).paused, true);
});

Deno.test("while paused direct calls are answered 503 with code paused, and nothing is sent", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.pause()`;
  const calls = [
    {
      action: "upsert_contact",
      payload: { id: "crm-1", contact: { email: "direct@example.test" } },
    },
    { action: "add_to_campaign", mauticContactId: 1, campaignId: 1 },
  ];
  for (const body of calls) {
    const { status, answer } = await sync.call(body);
    assert.deepEqual([status, answer.error?.code], [503, "paused"], body.action);
  }
  assert.equal(sync.mautic.requests.length, 0);
  assert.deepEqual(await outbox(sync.sql), []);
  await sync.sql`select mautic.resume()`;
  assert.equal((await sync.call(calls[0]!)).status, 200);
});
