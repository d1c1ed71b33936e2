import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { endsOrHolds } from "../support/locks.ts";
import { outcomes, startWebhook, statuses } from "./support.ts";

/**
 * A nightly job of the application updates many leads in one transaction, statement by statement.
 * Meanwhile one POST of Mautic's queue mode (ten events, the default) tells of ten of them, one of
 * which the job has not come to yet: all ten are deferred, and it comes by.
 */
async function jobAndSweep() {
  const inbox = await startWebhook();
  const { db } = inbox;
  const names = Array.from({ length: 9 }, (_, n) => `locked${n}@example.test`);
  const last = await insertLead(db.sql, "last@example.test");
  const ids: string[] = [];
  for (const email of names) ids.push(await insertLead(db.sql, email));
  const job = await db.sql.reserve();
  await job`begin`;
  await job`update public.leads set ml_score = 1 where id = any (${ids})`;
  const told = await outcomes(
    inbox,
    ...["last@example.test", ...names].map((email) => ({ email, status: "unsubscribed", at: 1 })),
  );
  assert.deepEqual(new Set(told), new Set(["deferred"]));
  const applying = db.sql`select mautic.apply_pending_deliveries()`.execute();
  // It has come past "last" and is at the locked ones, or over.
  await endsOrHolds(db, applying, last);
  return {
    inbox,
    last,
    job,
    async [Symbol.asyncDispose]() {
      await job`rollback`.catch(() => {});
      job.release();
      await applying;
      await inbox[Symbol.asyncDispose]();
    },
  };
}

Deno.test("applying what is stored does not abort an application's transaction that updates many leads", async () => {
  await using held = await jobAndSweep();
  const { job, last, inbox } = held;
  let failed: unknown = null;
  await job`update public.leads set ml_score = 1 where id = ${last}`.catch((error) => {
    failed = error;
  });
  assert.equal(String(failed), "null", "the application's own transaction was aborted");
  await job`commit`;
  await inbox.db.sql`select mautic.apply_pending_deliveries()`;
  assert.equal((await statuses(inbox.db))["last@example.test"], "unsubscribed");
});

Deno.test("applying what is stored does not keep the application from a lead while it waits for others", async () => {
  await using held = await jobAndSweep();
  const begun = performance.now();
  await held.inbox.db.sql`update public.leads set first_name = 'Ann' where id = ${held.last}`;
  const waited = Math.round(performance.now() - begun);
  assert.ok(waited < 300, `an update of one lead waited ${waited} ms`);
});
