import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { until } from "../../local/process/daemon.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} in the middle of the demo ends it, and leaves nothing`, async () => {
    const folder = await Deno.makeTempDir();
    // As root, the user who runs Postgres has to get in.
    await Deno.chmod(folder, 0o755);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "local/demo.ts"],
      cwd: root,
      env: { TMPDIR: folder },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    let told = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      told += text;
      if (told.includes("Mautic is down") && told.includes("refuses the connection")) break;
    }
    child.kill(signal);
    assert.equal((await child.status).code, 130, await errors);
    assert.equal(await errors, "");
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    await Deno.remove(folder);
  });
}

Deno.test("Ctrl-C while the demo's stack starts ends it without a word of what failed of that", async () => {
  const folder = await Deno.makeTempDir();
  // As root, the user who runs Postgres has to get in.
  await Deno.chmod(folder, 0o755);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "local/demo.ts"],
    cwd: root,
    env: { TMPDIR: folder },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const errors = new Response(child.stderr).text();
  // Postgres makes its data directory: the signal ends that, too.
  const isBeingMade = () =>
    [...Deno.readDirSync(folder)].some(({ name }) => {
      try {
        return [...Deno.readDirSync(`${folder}/${name}/data`)].length > 0;
      } catch {
        return false;
      }
    });
  await until(
    () => Promise.resolve(isBeingMade()),
    60_000,
    () => Promise.resolve(`No data directory was made in ${folder}`),
  );
  Deno.kill(-child.pid, "SIGINT");
  assert.equal((await child.status).code, 130, await errors);
  assert.equal(await errors, "");
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});
