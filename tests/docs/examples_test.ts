import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("the examples in the documentation of shared/ run", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--doc", "shared"],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: { NO_COLOR: "1" },
  }).output();
  const [said, failed] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${said}${failed}`);
  assert.match(said ?? "", /ok \| [1-9]\d* passed/);
});
