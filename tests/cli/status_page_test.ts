import assert from "node:assert/strict";
import { renderPage, span } from "../../cli/status/page.ts";
import { testDatabase } from "../support/database.ts";
import { claim, insertLead, settle, startWorker } from "../support/leads.ts";

const program = new URL("../../cli/status.ts", import.meta.url).pathname;

function start(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, ...args],
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await start(args, env).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("deno task status prints queue, circuit and dead letters with their remedy, or JSON", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "page@example.test");
  const taken = await claim(db.sql, await startWorker(db.sql));
  await settle(db.sql, taken.lease_token, [{
    lead_id: id,
    result: "dead",
    error_code: "duplicate_contact",
    error_message: "page@example.test is there twice",
    error_remedy: "merge them there",
  }]);
  await db.sql`select mautic.pause('night shift')`;

  const page = await run(["--db-url", db.url]);
  assert.equal(page.code, 0, page.stderr);
  for (
    const part of ["PAUSED", "night shift", "1 dead", id, "merge them there", "p***@e***.test"]
  ) {
    assert.ok(page.stdout.includes(part), `${part} in\n${page.stdout}`);
  }
  assert.ok(!page.stdout.includes("page@example.test"));

  // The option goes before the variables, and what they hold is of no account then.
  const json = await run(["--json", `--db-url=${db.url}`], {
    SUPABASE_DB_URL: "postgres://nobody@127.0.0.1:9/x",
  });
  const report = JSON.parse(json.stdout);
  assert.deepEqual([report.status.dead, report.status.paused], [1, true]);
  assert.equal(report.dead_letters[0].lead_id, id);
});

Deno.test("what the tables do not give stands on the page where there is any of it, and only there", async () => {
  await using db = await testDatabase();
  const sound = await run(["--db-url", db.url]);
  assert.doesNotMatch(sound.stdout, /^(Leads|Tables)/m);
  await db.sql`alter table public.leads rename column phone to telephone_number`;
  const page = await run(["--db-url", db.url]);
  assert.match(page.stdout, /^Tables +\d+ problem\(s\): .*mautic\.check_shape\(\)$/m);

  const report = JSON.parse((await run(["--db-url", db.url, "--json"])).stdout);
  const status = { ...report.status, unreadable: 2, without_address: 3, shape_problems: 0 };
  assert.match(
    renderPage({ status, dead_letters: [] }, Date.now()),
    /^Leads +2 wait for a column that the table no longer gives, 3 have no address$/m,
  );
});

Deno.test("the page says which project sends nothing, and lets it by a statement", async () => {
  await using db = await testDatabase();
  const page = async () => (await run(["--db-url", db.url])).stdout;
  assert.match(await page(), /^Sending +NOT LIVE: nothing leaves/m);
  await db.sql`
    insert into mautic.deployment (project, origin, live_at)
    values ('prod', 'https://m.example.com', now()), ('copy', 'https://m.example.com', null)`;
  const copied = await page();
  assert.match(copied, /^Sending +on$/m);
  assert.match(
    copied,
    /^Not live +project copy \(copied from project prod\) sends nothing to https:\/\/m\.example\.com:\n +select mautic\.go_live\('copy', 'https:\/\/m\.example\.com'\);$/m,
  );
  await db.sql`update mautic.deployment set live_at = now()`;
  assert.doesNotMatch(await page(), /not live/i);
});

Deno.test("the page names the field that leads wait for", async () => {
  await using db = await testDatabase();
  const said = "branche is required in Mautic, and nothing is sent to it.";
  await db.sql`
    insert into mautic.outbox
      (lead_id, state, not_before, correlation_id, enqueued_at, changed_at, error_code, error_message)
    values ('1', 'waiting', now(), 'c', now(), now(), 'required_field', ${said})`;
  assert.ok((await run(["--db-url", db.url])).stdout.includes(`Leads      1 wait: ${said}\n`));
});

Deno.test("--watch goes on showing what changes", async () => {
  await using db = await testDatabase();
  await using child = start(["--db-url", db.url, "--json", "--watch", "0.1"]);
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const until = async (part: string) => {
    while (!seen.includes(part)) {
      const { value, done } = await lines.read();
      assert.ok(!done, `it ended before it showed ${part}`);
      seen += value;
    }
  };
  await until('"unfolded":0');
  await insertLead(db.sql, "new@example.test");
  await until('"unfolded":1');
  await lines.cancel();
});

Deno.test("a wrong argument, an unreachable database and one without the schema are told with the remedy", async () => {
  const unnamed = await run([], { SUPABASE_DB_URL: "", DATABASE_URL: " " });
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /no database is named[^]*DATABASE_URL/);
  const wrong = await run([], { SUPABASE_DB_URL: "https://x:secret-canary@y" });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /SUPABASE_DB_URL is no database URL; expected postgresql:/);
  assert.doesNotMatch(wrong.stderr, /canary/);

  const nobody = await run(["--db-url", "postgres://postgres:x@127.0.0.1:9/postgres"]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /ECONNREFUSED/);
  await using bare = await testDatabase({ migrations: false });
  const without = await run(["--db-url", bare.url]);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /db push/);
});

Deno.test("spans are read at a glance", () => {
  const spans: [number | null, string][] = [
    [null, "–"],
    [0, "0 ms"],
    [850, "850 ms"],
    [12_000, "12 s"],
    [303_000, "5 min 3 s"],
    [7_800_000, "2 h 10 min"],
    [273_600_000, "3 d 4 h"],
  ];
  assert.deepEqual(spans.map(([ms]) => span(ms)), spans.map(([, text]) => text));
});
