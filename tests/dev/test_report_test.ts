import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { denoEnvironment } from "../../local/process/deno_environment.ts";
import { readReport } from "../../dev/gate/test_report.ts";

Deno.test("a report names every test and step that failed, and counts those that passed", async () => {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", `--junit-path=${report}`]
        .concat(fileURLToPath(new URL("fixtures/outcomes.ts", import.meta.url))),
      env: denoEnvironment(),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    assert.equal(success, false);
    const { passed, failures } = readReport(await Deno.readTextFile(report));
    assert.equal(passed, 2);
    assert.equal(failures.length, 2);
    assert.match(failures[0] ?? "", /fixtures\/outcomes\.ts: has a bad step: 1 test step failed/);
    assert.match(failures[1] ?? "", /outcomes\.ts: has a bad step > bad: .*<\/testcase> & so on$/);
  } finally {
    await Deno.remove(report);
  }
});
