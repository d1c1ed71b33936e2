import assert from "node:assert/strict";
import type { Shape } from "../../cli/shape.ts";
import { testDatabase } from "../support/database.ts";

const program = new URL("../../cli/check.ts", import.meta.url).pathname;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, ...args],
    env: { SUPABASE_DB_URL: "", DATABASE_URL: "" },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function problemsOf(url: string): Promise<[place: string | null, name: string | null][]> {
  const { code, stdout, stderr } = await run("--db-url", url, "--json");
  assert.equal(code, 1, stdout + stderr);
  const report: Shape & { ok: boolean } = JSON.parse(stdout);
  assert.equal(report.ok, false);
  return report.problems.map(({ place, name }) => [place, name]);
}

Deno.test("deno task check passes a migrated database, and says what is attached", async () => {
  await using db = await testDatabase();
  const { code, stdout, stderr } = await run("--db-url", db.url);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^public\.leads \(lead\): attached, \d+ roles, \d+ fields\n$/);
  const json = await run("--db-url", db.url, "--json");
  assert.deepEqual(JSON.parse(json.stdout).problems, []);
});

Deno.test("a column that is gone is named with the statement that mends it, in text and in JSON", async () => {
  await using db = await testDatabase();
  await db.sql`alter table public.leads rename column phone to telephone_number`;
  const { code, stdout } = await run("--db-url", db.url);
  assert.equal(code, 1);
  assert.match(stdout, /^public\.leads: .*phone.*\n {2}→ .*mautic\.attach\(/m);
  const problems = await problemsOf(db.url);
  assert.ok(problems.every(([place]) => place === "public.leads"));
  // It changes nothing: the next one finds the same.
  assert.deepEqual(await problemsOf(db.url), problems);
});

Deno.test("a table that is not there, one without an address, and none at all are findings", async () => {
  await using db = await testDatabase();
  await db.sql`create table public.profile (id uuid primary key, full_name text, company text)`;
  await db.sql`select mautic.attach('public.profile', source => 'profile')`;
  assert.deepEqual(await problemsOf(db.url), [["public.profile", "address"]]);
  await db.sql`select mautic.attach('public.profile', source => 'profile', address => 'full_name')`;
  await db.sql`select mautic.attach('crm.customer', source => 'customer')`;
  assert.deepEqual((await problemsOf(db.url)).map(([place]) => place), ["crm.customer"]);

  for (const source of ["customer", "profile", "lead"]) {
    await db.sql`select mautic.detach(${source})`;
  }
  assert.deepEqual(await problemsOf(db.url), [[null, null]]);
});

Deno.test("a wrong option, an unreachable database and one without the migrations are told apart", async () => {
  const unnamed = await run();
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /no database is named/);
  assert.equal((await run("--nonsense")).code, 2);
  const nobody = await run("--db-url", "postgres://postgres:hunter2@127.0.0.1:9/x", "--json");
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /ECONNREFUSED/);
  assert.doesNotMatch(nobody.stdout + nobody.stderr, /hunter2/);
  await using bare = await testDatabase({ migrations: false });
  const without = await run("--db-url", bare.url);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /db push/);
});
