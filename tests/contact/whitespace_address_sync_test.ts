import assert from "node:assert/strict";
import { claim, insertLead, startWorker } from "../support/leads.ts";
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
