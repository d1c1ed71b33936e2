import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { signal, until } from "../../local/process/daemon.ts";
import { runStep, runTests, type StepOptions } from "../../dev/gate/gate_step.ts";

/** A step whose time ends when it prints what matches; what matched, too. */
function endedAt(pattern: RegExp, title: string, args: string[]) {
  const late = new AbortController();
  let printed = "";
  const found: string[] = [];
  const options: StepOptions = {
    title,
    program: Deno.execPath(),
    args,
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    within: late.signal,
    write(bytes) {
      printed += new TextDecoder().decode(bytes);
      const match = pattern.exec(printed);
      if (match !== null && !late.signal.aborted) {
        found.push(...match);
        late.abort();
      }
    },
  };
  return { options, found };
}

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

Deno.test("a step of tests that does not end in time has failed, by name, and all of it is ended", async () => {
  const { options, found } = endedAt(/started (\d+)/, "Tests", ["--no-check", fixture("hangs.ts")]);
  const { passed, failures } = await runTests(options);
  assert.equal(passed, 0);
  assert.equal(failures.length, 1);
  assert.match(
    failures[0] ?? "",
    /^Tests: did not end in time, last in flight: \.\/tests\/dev\/fixtures\/hangs\.ts: hangs$/,
  );
  const started = Number(found[1]);
  assert.ok(started > 0);
  await until(
    () => Promise.resolve(isGone(started)),
    10_000,
    () => Promise.resolve(`Process ${started} lives on`),
  );
});

Deno.test("a step that is no test ends in time, or has failed, too", async () => {
  const forever = ["eval", "console.log('begun'); setInterval(() => {})"];
  const { options } = endedAt(/begun/, "Wait", forever);
  assert.deepEqual((await runStep(options)).failures, ["Wait: did not end in time"]);
  const bad = endedAt(/never/, "Throw", ["eval", "throw new Error('bad')"]);
  assert.deepEqual((await runStep(bad.options)).failures, ["Throw: failed"]);
  const good = endedAt(/never/, "Pass", ["eval", "1"]);
  assert.deepEqual((await runStep(good.options)).failures, []);
});

Deno.test("a step of tests counts each of them, and an error outside of any", async () => {
  const tests = endedAt(/never/, "Tests", ["--no-check", fixture("outcomes.ts")]);
  const counted = await runTests(tests.options);
  assert.equal(counted.passed, 2);
  assert.equal(counted.failures.length, 2);
  assert.match(counted.failures[0] ?? "", /^Tests: .*outcomes\.ts: has a bad step/);
  const none = endedAt(/never/, "Tests", ["--no-check", "tests/nowhere"]);
  const { passed, failures } = await runTests(none.options);
  assert.deepEqual([passed, failures], [0, ["Tests: an error outside of any test"]]);
});

/** Where process 1 collects no orphans, they stay in the process table for ever. */
function isGone(pid: number): boolean {
  if (!signal(pid, "SIGCONT")) return true;
  if (Deno.build.os !== "linux") return false;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return true;
  }
}
