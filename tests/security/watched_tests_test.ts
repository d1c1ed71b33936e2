import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runWatched } from "../../local/watched_tests.ts";

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
