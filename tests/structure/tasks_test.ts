import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

const root = new URL("../../", import.meta.url);

/** What a task prints. */
interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a task as a person does. */
async function runTask(name: string, args: string[]): Promise<Said> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", name, ...args],
    cwd: fileURLToPath(root),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // On its first line `deno task` shows what it runs, arguments included.
  return { code, stdout: text(stdout), stderr: text(stderr).replace(/^Task .*\n/, "") };
}

/** Every task but `test`, which is Deno's own program. */
const programs = Object.keys(config.tasks).filter((name) => name !== "test");

/** Runs all of them, so many at a time as there are cores. */
async function runEach(args: string[]): Promise<Map<string, Said>> {
  const said = new Map<string, Said>();
  const waiting = [...programs];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      said.set(name, await runTask(name, args));
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  return said;
}

/** An option as `--help` shows it: its name, and what it does on one line. */
function optionsOf(help: string): [name: string, about: string][] {
  const section = help.split(/^Options:$/m)[1]?.split(/\n\n/)[0] ?? "";
  return [...section.matchAll(/^ {2}(--[\w-]+)(?: [<[]\w+[>\]])? +(\S[^]*?)(?=\n {2}--|\s*$)/gm)]
    .map(([, name = "", about = ""]) => [name, about.replace(/\s+/g, " ")]);
}

interface Row {
  description: string;
  options: string[];
}

/** README's table of commands. */
async function readTable(): Promise<Map<string, Row>> {
  const text = await Deno.readTextFile(new URL("README.md", root));
  const rows = text.matchAll(/^\| `deno task (\w+)` +\| (.*?) +\| (.*?) *\|$/gm);
  return new Map([...rows].map(([, name = "", description = "", options = ""]) => [
    name,
    { description, options: [...options.matchAll(/`([^`]+)`/g)].map(([, each = ""]) => each) },
  ]));
}

const table = await readTable();
const help = await runEach(["--help"]);

Deno.test("README's table has every task, described as deno.json describes it", () => {
  const described = [...table].map(([name, { description }]) => [name, description]);
  const tasks = Object.entries(config.tasks).map(([name, { description }]) => [name, description]);
  assert.deepEqual(described.sort(), tasks.sort());
});

for (const [name, { code, stdout }] of help) {
  Deno.test(`${name} --help says what README's table says, and lists the same options`, () => {
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: deno task ${name} `));
    const description = stdout.split("\n\n")[1]?.replace(/\s+/g, " ");
    assert.equal(description, `${table.get(name)?.description}.`);
    const names = optionsOf(stdout).map(([option]) => option);
    assert.deepEqual(names, [...table.get(name)?.options ?? [], "--help"]);
  });
}

Deno.test("an option that several tasks take means the same in all of them", () => {
  const meanings = (option: string) =>
    [...help].flatMap(([name, { stdout }]) =>
      optionsOf(stdout).flatMap(([each, about]) => each === option ? [{ name, about }] : [])
    );
  const takers = (option: string) => meanings(option).map(({ name }) => name).sort();
  assert.deepEqual(takers("--db-url"), ["check", "doctor", "setup", "start", "status"]);
  assert.deepEqual(takers("--env-file"), ["check", "doctor", "setup", "start", "status"]);
  assert.deepEqual(takers("--json"), [
    ...["bench", "check", "demo", "doctor", "setup", "simulate", "start", "status"],
  ]);
  for (const option of ["--db-url", "--env-file", "--json", "--stack", "--help"]) {
    const beginnings = meanings(option).map(({ about }) => about.split(";")[0]);
    assert.equal(new Set(beginnings).size, 1, `${option}: ${beginnings.join(" | ")}`);
  }
});

Deno.test("a wrong option ends a task with status 2 and the usage, and its value is not shown", async () => {
  const secret = "postgresql://postgres:hunter2@localhost/postgres";
  for (const [name, { code, stdout, stderr }] of await runEach([`--nonsense=${secret}`])) {
    assert.equal(code, 2, `${name}: ${stderr}`);
    assert.equal(stdout, "", name);
    assert.match(stderr, /^error: unknown option '--nonsense'$/m, name);
    assert.match(stderr, new RegExp(`^Usage: deno task ${name} `, "m"), name);
    assert.doesNotMatch(stderr, /hunter2/, name);
  }
});

Deno.test("no value that an option or a task is given is shown when it is refused", async () => {
  const wrong: [string, string[], RegExp][] = [
    [
      "doctor",
      ["--db-url", "mysql://root:hunter2@db/x"],
      /option '--db-url <url>': expected postgr/,
    ],
    ["status", ["--watch=hunter2"], /option '--watch \[seconds\]': expected a number from 0\.1/],
    ["setup", ["postgresql://root:hunter2@db/x"], /too many arguments/],
    ["bench", ["hunter2"], /there are .*trigger/],
    ["simulate", ["--seeds", "1.5"], /option '--seeds <n>': expected a whole number from 1/],
    ["start", ["--db-url"], /option '--db-url <url>' argument missing/],
    ["status", ["--db-ur=hunter2"], /unknown option '--db-ur'/],
  ];
  for (const [name, args, expected] of wrong) {
    const { code, stdout, stderr } = await runTask(name, args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /hunter2/);
  }
});

Deno.test("a file that cannot be read or written is told with its option, before any work", async () => {
  const refusals: [task: string, args: string[], said: RegExp][] = [
    [
      "status",
      ["--env-file=no/such.env"],
      /^error: --env-file: the file is not there$/m,
    ],
    ["doctor", ["--stack=no/such.json"], /^error: --stack: the file is not there$/m],
    ["setup", ["--env-file="], /^error: --env-file names no file$/m],
    [
      "bench",
      ["--report=no/such/report.json"],
      /^error: --report names a file in a folder that is not there$/m,
    ],
    [
      "bench",
      ["--plot=no/such/plot.svg"],
      /^error: --plot names a file in a folder that is not there$/m,
    ],
    ["bench", ["--list", "nothing"], /^error: a part that was named is none; there are latency, /m],
  ];
  for (const [name, args, said] of refusals) {
    const { code, stdout, stderr } = await runTask(name, args);
    assert.deepEqual([code, stdout], [2, ""], `${name} ${args.join(" ")}: ${stderr}`);
    assert.match(stderr, said);
  }
});

Deno.test("status --json is JSON also where the database does not answer", async () => {
  const { code, stdout } = await runTask("status", [
    "--json",
    "--db-url=postgres://u:p@127.0.0.1:1/x",
  ]);
  assert.equal(code, 1);
  const { ok, error } = JSON.parse(stdout);
  assert.equal(ok, false);
  assert.match(error, /ECONNREFUSED/);
});
