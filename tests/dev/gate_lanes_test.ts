import assert from "node:assert/strict";
import { runSideBySide, type Step } from "../../dev/gate/side_by_side.ts";

/** A step that prints what it is told to, and ends when it is told to. */
function scripted(title: string, running: Set<string>) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<(text: string) => void>();
  const step: Step = {
    title,
    run: async (write) => {
      running.add(title);
      begun.resolve((text) => write(new TextEncoder().encode(text)));
      await promise;
      running.delete(title);
      return { passed: 1, failures: [`${title}: failed`] };
    },
  };
  return { step, end: resolve, begun: begun.promise };
}

Deno.test("steps run two at a time, and each one's output is in one piece", async () => {
  const running = new Set<string>();
  const [long, short, next] = ["long", "short", "next"].map((title) => scripted(title, running));
  assert.ok(long && short && next);
  let printed = "";
  const done = runSideBySide([long.step, short.step, next.step], {
    lanes: 2,
    print: (bytes) => void (printed += new TextDecoder().decode(bytes)),
  });
  const sayLong = await long.begun;
  const sayShort = await short.begun;
  assert.deepEqual([...running], ["long", "short"]);
  sayLong("a\n");
  sayShort("1\n");
  sayLong("b\n");
  sayShort("2\n");
  assert.equal(printed, "");
  short.end();
  (await next.begun)("x\n");
  assert.match(printed, /^\n== short \(\d+\.\d s\)\n1\n2\n$/);
  assert.deepEqual([...running], ["long", "next"]);
  next.end();
  long.end();
  const outcomes = await done;
  assert.match(printed, /== long \(\d+\.\d s\)\na\nb\n/);
  assert.match(printed, /== next \(\d+\.\d s\)\nx\n/);
  assert.deepEqual(outcomes.map(({ failures }) => failures[0]), [
    ...["long: failed", "short: failed", "next: failed"],
  ]);
});
