import assert from "node:assert/strict";
import { systemClock } from "shared/runtime/clock.ts";
import { startSync } from "../support/sync.ts";
import { optedOut, reconciler, statusOf } from "./reconcile_support.ts";

Deno.test("an opt-out is not lost because somebody resubscribes while the table is read", async () => {
  // Opted out long ago; somebody did today.
  let ahead = -30 * 24 * 3_600_000;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  await using sync = await startSync({ mautic: { clock } });
  await optedOut(sync, 1_002, [3, 1_000]);
  ahead = 0;
  await reconciler(sync).client.createContact({ email: "today@example.com" });
  await sync.mautic.unsubscribe("today@example.com");
  const { client, run } = reconciler(sync);
  let gone = false;
  const first = reconciler(sync, {
    mautic: {
      ...client,
      async doNotContactStats(page, correlationId) {
        const answer = await client.doNotContactStats(page, correlationId);
        if (!gone && answer.rows.length === 1_000) {
          gone = true;
          // p3's row is on the page just read.
          await sync.mautic.resubscribe("p3@example.com");
        }
        return answer;
      },
    },
  });
  assert.equal((await first.run()).state, "done");
  const seen = [];
  for (let period = 0; period < 3; period++) {
    await run();
    seen.push(await statusOf(sync));
  }
  assert.deepEqual(seen.at(-1), { p3: "subscribed", p1000: "unsubscribed" }, JSON.stringify(seen));
});

Deno.test("a table that takes longer to read than one run may last is read by the next runs", async () => {
  let back = 30 * 24 * 3_600_000;
  await using sync = await startSync({
    mautic: { clock: { ...systemClock, now: () => Date.now() - back } },
  });
  await optedOut(sync, 2_002, [2_001]);
  back = 0;
  await reconciler(sync).client.createContact({ email: "today@example.com" });
  await sync.mautic.unsubscribe("today@example.com");
  // Each page takes 30 s of the 100 s that a run has: as a table of some 100,000 rows, in small.
  let ahead = 0;
  const { client } = reconciler(sync);
  const { run } = reconciler(sync, {
    budgetMs: 100_000,
    clock: { now: () => Date.now() + ahead, sleep: () => Promise.resolve() },
    mautic: {
      ...client,
      async doNotContactStats(page, correlationId) {
        ahead += 30_000;
        return await client.doNotContactStats(page, correlationId);
      },
    },
  });
  const states = [];
  for (let period = 0; period < 4; period++) {
    states.push((await run()).state);
  }
  assert.deepEqual(await statusOf(sync), { p2001: "unsubscribed" });
  assert.equal(states.at(-1), "done", `the first reading gets to its end: ${states.join()}`);
  await sync.mautic.resubscribe("p2001@example.com");
  states.length = 0;
  for (let period = 0; period < 8; period++) states.push((await run()).state);
  assert.deepEqual(await statusOf(sync), { p2001: "subscribed" }, states.join());
});

Deno.test("deleting the cursor's row reads it all again, as its comment says", async () => {
  await using sync = await startSync();
  await optedOut(sync, 2, [0, 1]);
  const { run } = reconciler(sync);
  await run();
  assert.equal((await run()).rowsRead, 2, "within the overlap");
  // As read by an older version that did not know a complaint.
  await sync.sql`update mautic.do_not_contact set kind = 'bounced'`;
  await sync.sql`update mautic.do_not_contact set added_at = added_at - interval '1 day'`;
  await sync.sql`delete from mautic.reconcile_cursor`;
  const again = await run();
  assert.equal(again.rowsRead, 2);
});
