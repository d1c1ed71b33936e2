import assert from "node:assert/strict";
import { claim, insertLead, outbox, startWorker } from "../database/support.ts";
import { startSync } from "../support/sync.ts";
import { testDatabase } from "../support/database.ts";

// What an import from CSV leaves behind.
for (
  const [name, space] of [["a line end", "\r\n"], ["a tab", "\t"], ["a no-break space", "\u00a0"]]
) {
  Deno.test(`two leads whose addresses differ in ${name} are one person: not out twice`, async () => {
    await using db = await testDatabase();
    await insertLead(db.sql, "one@example.test");
    await insertLead(db.sql, `one@example.test${space}`);
    const [a, b] = [await startWorker(db.sql), await startWorker(db.sql)];
    const first = await claim(db.sql, a, { limit: 1 });
    const second = await claim(db.sql, b, { limit: 1 });
    assert.deepEqual([first.items.length, second.items.length], [1, 0]);
  });
}

Deno.test("two workers make no duplicate of a person whose address an import left a line end in", async () => {
  await using sync = await startSync({ env: { MAUTIC_BATCH_SIZE: "1" } });
  // The first two that save at once miss each other; nobody waits for ever where only one comes.
  sync.mautic.holdSaves(2);
  const release = setTimeout(() =>
    sync.call({
      action: "upsert_contact",
      payload: { id: "somebody-else", contact: { email: "else@example.test" } },
    }), 1_500);
  await insertLead(sync.sql, "one@example.test");
  await insertLead(sync.sql, "one@example.test\r");
  await Promise.all([
    sync.call({ action: "drain" }),
    sync.call({ action: "drain" }),
  ]);
  await sync.drain();
  clearTimeout(release);
  assert.deepEqual(sync.mautic.duplicateEmails(), []);
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.error_code), []);
});
