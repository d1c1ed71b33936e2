import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { until } from "../../local/process/daemon.ts";

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url));

type Started = {
  child: Deno.ChildProcess;
  ready: Record<string, string>;
  /** The rest of what it prints on stdout. */
  rest: Promise<string>;
  folder: string;
};

/** Starts `local/start.ts` as a person does, with a folder of its own for temporary files. */
async function startProcess(
  args = ["run", "-A", "--no-lock", start],
): Promise<Started> {
  const folder = await Deno.makeTempDir();
  // As root, the user who runs Postgres has to get in.
  await Deno.chmod(folder, 0o755);
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { TMPDIR: folder },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The stack did not start; it printed: ${text}`);
    text += value;
  }
  const [line = "", ...more] = text.split("\n");
  return { child, ready: JSON.parse(line), rest: readRest(reader, more.join("\n")), folder };
}

async function readRest(
  reader: ReadableStreamDefaultReader<string>,
  begun: string,
): Promise<string> {
  let text = begun;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += value;
  }
}

async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) }).catch(() => undefined);
  connection?.close();
  return connection !== undefined;
}

async function assertNothingLeft({ ready, folder }: Started): Promise<void> {
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  for (const url of [ready.dbUrl, ready.apiUrl, ready.mauticUrl]) {
    assert.equal(await answers(url ?? ""), false, `${url} still answers`);
  }
  await Deno.remove(folder);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends the stack and leaves no process and no folder behind`, async () => {
    const started = await startProcess();
    const { ready, child } = started;
    assert.equal(ready.event, "ready");
    assert.equal(ready.functionsUrl, `${ready.apiUrl}/functions/v1`);
    assert.match(ready.webhookUrl ?? "", /\/functions\/v1\/mautic-webhook\?secret=.{16,}$/);
    assert.ok(await answers(ready.dbUrl ?? ""));

    child.kill(signal);
    assert.equal((await child.status).code, 0);
    assert.equal(await started.rest, "", "stdout holds the ready line and nothing else");
    await assertNothingLeft(started);
  });
}

async function assertEmptiedInTime({ folder }: Started): Promise<void> {
  await until(
    () => Promise.resolve([...Deno.readDirSync(folder)].length === 0),
    20_000,
    () => Promise.resolve(`${folder} still holds something`),
  );
}

Deno.test("a stack that is killed is cleaned up from outside", async () => {
  const started = await startProcess();
  started.child.kill("SIGKILL");
  await started.child.status;
  await started.rest;
  await assertEmptiedInTime(started);
  await assertNothingLeft(started);
});

Deno.test("a stack ends when the program that started it is killed", async () => {
  const started = await startProcess(["task", "start"]);
  started.child.kill("SIGKILL");
  await started.child.status;
  // Ends with the last process that holds stdout.
  await started.rest;
  await assertEmptiedInTime(started);
  await assertNothingLeft(started);
});

Deno.test("a half-made configuration is refused by name before anything starts", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", start],
    env: { MAUTIC_BASE_URL: "https://mautic.example.com" },
    stdin: "null",
  }).output();
  assert.equal(code, 2);
  assert.equal(new TextDecoder().decode(stdout), "");
  assert.match(new TextDecoder().decode(stderr), /MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET/);
});
