import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

function entries(sync: Sync, email: string): number[] {
  return sync.mautic.contactByEmail(email)?.doNotContact.map((entry) => entry.reason) ?? [];
}

async function withdraw(sync: Sync, count: number): Promise<number> {
  for (let n = 0; n < count; n++) await insertLead(sync.sql, `p${n}@example.test`);
  await sync.drain();
  const poison = sync.mautic.contactByEmail("p0@example.test")!.id;
  // Mautic answers 500 to the do-not-contact entry of one contact (a plugin that listens to that).
  sync.mautic.failNext({
    kind: "500",
    match: (request) =>
      request.path.endsWith(`/contacts/${poison}/dnc/email/add`) ||
      (Array.isArray(request.body) &&
        request.body.some((item) => {
          const { id, doNotContact } = item as { id?: number; doNotContact?: unknown };
          return id === poison && doNotContact !== undefined;
        })),
    times: Infinity,
  });
  await sync.sql`update public.leads set marketing_opt_in = false`;
  return poison;
}

Deno.test("one contact that Mautic fails on does not keep the others' withdrawn consent from Mautic", async () => {
  await using sync = await startSync();
  await withdraw(sync, 5);
  for (let round = 0; round < 4; round++) {
    await sync.drain();
    await sync.skipWaits();
  }
  const lacking = [1, 2, 3, 4].filter((n) => entries(sync, `p${n}@example.test`).length === 0);
  assert.deepEqual(lacking, [], "consent was withdrawn, and they are still mailed");
});

Deno.test("one contact that Mautic fails on does not make dead letters of the others", async () => {
  await using sync = await startSync();
  await withdraw(sync, 5);
  for (let round = 0; round < 7; round++) {
    await insertLead(sync.sql, `healthy${round}@example.test`);
    await sync.drain();
    await sync.skipWaits();
  }
  const dead = (await outbox(sync.sql)).filter((row) => row.state === "dead");
  assert.ok(dead.length <= 1, `${dead.length} dead: ${dead.map((row) => row.error_code)}`);
});

Deno.test("nor do two of them make dead letters of those that were not even tried", async () => {
  await using sync = await startSync();
  for (let n = 0; n < 5; n++) await insertLead(sync.sql, `p${n}@example.test`);
  await sync.drain();
  const poisons = [1, 2].map((n) => sync.mautic.contactByEmail(`p${n}@example.test`)!.id);
  const isPoison = (value: unknown) =>
    poisons.some((id) => JSON.stringify(value).includes(`"id":${id},"doNot`));
  sync.mautic.failNext({
    kind: "500",
    match: ({ path, body }) =>
      poisons.some((id) => path.endsWith(`/contacts/${id}/dnc/email/add`)) ||
      isPoison(body ?? null),
    times: Infinity,
  });
  // In this order: one that passes, the two, and those behind them.
  for (let n = 0; n < 5; n++) {
    await sync.sql`
      update public.leads set marketing_opt_in = false where email = ${`p${n}@example.test`}`;
  }
  for (let round = 0; round < 7; round++) {
    await sync.drain();
    await sync.skipWaits();
    await sync.sql`
      update public.leads set marketing_opt_in = ${
      round % 2 === 0
    } where email = 'p0@example.test'`;
  }
  for (const n of [3, 4]) assert.deepEqual(entries(sync, `p${n}@example.test`), [3]);
});
