import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { canary } from "../../local/canary/canary.ts";
import { allowedPlaces, lookThroughRows } from "../../local/canary/stored_secrets.ts";
import { runWatched } from "../../dev/gate/watched_tests.ts";
import { insertLead } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";

/** Runs one of the tests in fixtures/leaks.ts as the gate runs tests. */
function watch(name: string) {
  return runWatched({
    program: Deno.execPath(),
    args: ["test", "-A", "--no-check", "--filter", `/^${name}$/`]
      .concat(fileURLToPath(new URL("fixtures/leaks.ts", import.meta.url))),
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: {},
    write: () => {},
  });
}

Deno.test("the gate finds a secret that tests print, in whatever form", async () => {
  const { success, leaks } = await watch("print");
  assert.equal(success, true);
  assert.equal(leaks.length, 1);
  assert.match(leaks[0] ?? "", /^what was printed/);
});

Deno.test("the gate finds a secret in a log of Postgres, and none where it was a parameter", async () => {
  const [logged, kept] = await Promise.all([watch("log"), watch("keep")]);
  assert.deepEqual([logged.success, kept.success], [true, true]);
  assert.match(logged.leaks.join(), /^the log of Postgres .*STATEMENT: .*\[mark\]/);
  assert.deepEqual(kept.leaks, []);
});

Deno.test("the gate finds a secret in a row of a test's database, and of a server of its own", async () => {
  const [stored, left] = await Promise.all([watch("store"), watch("leave")]);
  assert.deepEqual([stored.success, left.success], [true, true]);
  assert.equal(stored.leaks.length, 1);
  assert.match(stored.leaks[0] ?? "", /^a row: later\.planted\.more, left by .*leaks\.ts$/);
  assert.equal(left.leaks.length, 1);
  assert.match(left.leaks[0] ?? "", /^a row: public\.planted\.key, left by .*leaks\.ts$/);
});

Deno.test("the doorbell's key is stored where it has to be and nowhere else, which the gate allows", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "lead@example.test");
  const sightings = await lookThroughRows(db.admin, [canary("the key", db.syncKey)]);
  assert.deepEqual(sightings.map(({ where }) => where).sort(), Object.keys(allowedPlaces).sort());
  assert.deepEqual((await watch("ring")).leaks, []);
});
