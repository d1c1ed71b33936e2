import assert from "node:assert/strict";
import { insertLead } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const high = { crm_status: "qualified", marketing_opt_in: true, ml_score: 85 };

function added(sync: Sync): number {
  return sync.mautic.requests.filter((request) =>
    /campaigns\/\d+\/contact\/\d+\/add/.test(request.path)
  ).length;
}

Deno.test("two calls at once add a contact to a campaign once", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "a@example.test");
  await sync.drain();
  const contact = sync.mautic.contactByEmail("a@example.test")!.id;
  sync.mautic.failNext({ kind: "slow", match: /campaigns\/\d+\/contact/, delayMs: 200 });
  const call = () =>
    sync.call({
      action: "add_to_campaign",
      mauticContactId: contact,
      campaignId: sync.mautic.campaignId,
    });
  const first = sync.mautic.waitForStart((request) => /campaigns\/\d+\/contact/.test(request.path));
  const one = call();
  await first;
  await Promise.all([one, call()]);
  assert.equal(added(sync), 1, "a campaign that allows a restart begins anew");
});

Deno.test("a call while a worker enrols the same contact adds it once", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "a@example.test", high);
  sync.mautic.failNext({ kind: "slow", match: /campaigns\/\d+\/contact/, delayMs: 200 });
  const enrolling = sync.mautic.waitForStart((request) =>
    /campaigns\/\d+\/contact/.test(request.path)
  );
  const drained = sync.drain();
  await enrolling;
  await sync.call({
    action: "add_to_campaign",
    mauticContactId: sync.mautic.contactByEmail("a@example.test")!.id,
    campaignId: sync.mautic.campaignId,
  });
  await drained;
  assert.equal(added(sync), 1, "a campaign that allows a restart begins anew");
});
