import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync } from "../support/sync.ts";

Deno.test("while every enrolment fails nothing is blamed on a lead", async () => {
  await using sync = await startSync();
  const high = { crm_status: "qualified", marketing_opt_in: true, ml_score: 85 };
  sync.mautic.failNext({ kind: "500", match: "/campaigns/", times: Infinity });
  for (let n = 0; n < 5; n++) await insertLead(sync.sql, `vip${n}@example.test`, high);
  for (let round = 0; round < 7; round++) {
    await insertLead(sync.sql, `plain${round}@example.test`);
    await sync.drain();
    await sync.skipWaits();
  }
  const dead = await sync
    .sql`select error_code, error_message from mautic.outbox where state = 'dead'`;
  assert.deepEqual([...dead], []);
  assert.equal((await outbox(sync.sql)).length, 5);
});

Deno.test("while every do-not-contact entry fails nothing is blamed on a lead", async () => {
  await using sync = await startSync();
  sync.mautic.failNext({
    kind: "500",
    match: (request) => /dnc|doNotContact/.test(request.path + JSON.stringify(request.body)),
    times: Infinity,
  });
  for (let n = 0; n < 5; n++) {
    await insertLead(sync.sql, `no${n}@example.test`, { marketing_opt_in: false });
  }
  for (let round = 0; round < 9; round++) {
    await insertLead(sync.sql, `plain${round}@example.test`);
    await sync.drain();
    await sync.skipWaits();
  }
  const dead = await sync
    .sql`select error_code, error_message from mautic.outbox where state = 'dead'`;
  assert.deepEqual([...dead], []);
});
