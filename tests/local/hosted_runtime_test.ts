import assert from "node:assert/strict";
import { hostedDenoProgram } from "../../local/process/npm_binaries.ts";
import { startStack } from "../../local/stack.ts";

const functions = new URL("../../supabase/functions/", import.meta.url);

Deno.test("every function starts and answers on the hosted runtime's Deno", async (test) => {
  await using stack = await startStack({ deno: [await hostedDenoProgram()] });
  for (const { name, isDirectory } of Deno.readDirSync(functions)) {
    if (!isDirectory || !hasEntrypoint(name)) continue;
    await test.step(name, async () => {
      const response = await fetch(`${stack.ready.functionsUrl}/${name}`, {
        method: "POST",
        body: "{}",
      });
      const log = stack.functionLog(name).join("\n");
      assert.equal(response.status, 401, `without a key; its log: ${log}`);
      assert.equal((await response.json()).ok, false);
    });
  }
});

function hasEntrypoint(name: string): boolean {
  try {
    return Deno.statSync(new URL(`${name}/index.ts`, functions)).isFile;
  } catch {
    return false;
  }
}
