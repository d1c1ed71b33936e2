import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { until } from "../../local/process/daemon.ts";
import { endTree } from "../../local/process/process_tree.ts";

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url));

/** The commands by which people start the stack: the program itself, its task, and npx. */
const program = [Deno.execPath(), "run", "-A", "--no-lock", start];
const task = [Deno.execPath(), "task", "start"];
const npx = ["npx", "-y", `deno@${Deno.version.deno}`, "task", "start"];
const hasNpx = await new Deno.Command("npx", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

type Begun = {
  child: Deno.ChildProcess;
  reader: ReadableStreamDefaultReader<string>;
  folder: string;
};

type Started = Begun & {
  ready: Record<string, string>;
  /** The rest of what it prints on stdout. */
  rest: Promise<string>;
};

/** Runs a command as a person does, in a session and with a folder for temporary files of its own. */
async function begin([command = "", ...args]: string[]): Promise<Begun> {
  const folder = await Deno.makeTempDir();
  // As root, the user who runs Postgres has to get in.
  await Deno.chmod(folder, 0o755);
  const child = new Deno.Command(command, {
    args,
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { TMPDIR: folder },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  return { child, reader: child.stdout.pipeThrough(new TextDecoderStream()).getReader(), folder };
}

/** The same up to its ready line. */
async function startProcess(command: string[]): Promise<Started> {
  const begun = await begin(command);
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await begun.reader.read();
    if (done) throw new Error(`The stack did not start; it printed: ${text}`);
    text += value;
  }
  const [line = "", ...more] = text.split("\n");
  return { ...begun, ready: JSON.parse(line), rest: readRest(begun.reader, more.join("\n")) };
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

/**
 * Waits for what a signal brings about. Where it does not arrive nothing ever ends: after half a minute
 * all that was started is ended, and the test has failed.
 */
async function inTime<Result>({ child }: Begun, awaited: Promise<Result>): Promise<Result> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    endTree(child.pid);
    timeout.reject(new Error("The signal ended nothing within 30 s"));
  }, 30_000);
  try {
    return await Promise.race([awaited, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
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
    const started = await startProcess(program);
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

async function assertEmptiedInTime({ folder }: Pick<Begun, "folder">): Promise<void> {
  const left = () => [...Array.from(Deno.readDirSync(folder), ({ name }) => name), ...told(folder)];
  await until(
    () => Promise.resolve(left().length === 0),
    20_000,
    () => Promise.resolve(`There is still ${left().join(", ")}`),
  );
}

/** Processes that know of a folder, by what they run or by their environment, where Linux tells. */
function told(folder: string): string[] {
  if (Deno.build.os !== "linux") return [];
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name).filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === Deno.pid) return false;
    try {
      const read = (file: string) => Deno.readTextFileSync(`/proc/${pid}/${file}`);
      return `${read("cmdline")}\0${read("environ")}`.includes(folder);
    } catch {
      return false;
    }
  }).map((pid) => `process ${pid}`);
}

/** Waits until the first folder of the stack is there: Postgres is being copied into it. */
async function firstFolder(folder: string): Promise<void> {
  await until(
    () => Promise.resolve([...Deno.readDirSync(folder)].length > 0),
    60_000,
    () => Promise.resolve(`Nothing was made in ${folder}`),
  );
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  Deno.test({
    name:
      `${signal} to npx alone ends the stack that it started, up or starting, and leaves nothing`,
    ignore: !hasNpx,
    fn: async () => {
      const started = await startProcess(npx);
      started.child.kill(signal);
      await inTime(started, started.child.status);
      // Ends with the last process that holds stdout.
      assert.equal(await inTime(started, started.rest), "");
      await assertEmptiedInTime(started);
      await assertNothingLeft(started);

      const begun = await begin(npx);
      await firstFolder(begun.folder);
      begun.child.kill(signal);
      await inTime(begun, begun.child.status);
      assert.equal(await inTime(begun, readRest(begun.reader, "")), "");
      await assertEmptiedInTime(begun);
      await Deno.remove(begun.folder);
    },
  });
}

/** Tasks that start processes of their own, which a signal to npx does not reach. */
const parents = [["ok"], ["test"], ["simulate", "--seeds", "40", "--jobs", "2"]];

// The first is passed on to the task by npx, the second by nobody.
const signals = ["SIGINT", "SIGKILL"] as const;

for (
  const [args, signal] of parents.flatMap((args) => signals.map((each) => [args, each] as const))
) {
  Deno.test({
    name: `${signal} to npx alone ends \`deno task ${
      args.join(" ")
    }\` and all it started, and leaves nothing`,
    ignore: !hasNpx,
    fn: async () => {
      const begun = await begin([...npx.slice(0, -1), ...args]);
      const rest = readRest(begun.reader, "");
      await until(
        // The task itself, the watch over its folder, and what it has started there.
        () => Promise.resolve(told(begun.folder).length >= 6 && holdsFolders(begun.folder)),
        60_000,
        () => Promise.resolve(`Only ${told(begun.folder).join(", ")} know of ${begun.folder}`),
      );
      begun.child.kill(signal);
      await inTime(begun, begun.child.status);
      await inTime(begun, rest);
      await assertEmptiedInTime(begun);
      await Deno.remove(begun.folder);
    },
  });
}

/** Has the task made a folder of its own, and something in it? */
function holdsFolders(folder: string): boolean {
  return Array.from(Deno.readDirSync(folder))
    .some(({ name }) => [...Deno.readDirSync(`${folder}/${name}`)].length > 0);
}

Deno.test("Ctrl-C in a terminal, which reaches every process, ends the stack in order", async () => {
  const started = await startProcess(task);
  Deno.kill(-started.child.pid, "SIGINT");
  // Not 130: it arrives twice, of the terminal and of `deno task`, and is one.
  assert.equal((await inTime(started, started.child.status)).code, 0);
  assert.equal(await started.rest, "");
  await assertNothingLeft(started);
});

Deno.test("a stack that is killed while it starts is cleaned up from outside", async () => {
  const begun = await begin(program);
  await firstFolder(begun.folder);
  begun.child.kill("SIGKILL");
  await begun.child.status;
  await readRest(begun.reader, "");
  await assertEmptiedInTime(begun);
  await Deno.remove(begun.folder);
});

Deno.test("a stack that is killed is cleaned up from outside", async () => {
  const started = await startProcess(program);
  started.child.kill("SIGKILL");
  await started.child.status;
  await started.rest;
  await assertEmptiedInTime(started);
  await assertNothingLeft(started);
});

Deno.test("a stack ends when the program that started it is killed", async () => {
  const started = await startProcess(task);
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
