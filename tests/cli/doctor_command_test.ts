import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { makeReport } from "../../cli/doctor/report.ts";
import type { SetupReport } from "../../cli/setup/main.ts";
import { soundStack } from "./support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs one of the two programs as a task would, with none of this machine's settings. */
async function command(program: string, args: string[], env: Record<string, string> = {}) {
  const kept = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) =>
      !/^((MAUTIC|SUPABASE)_|DATABASE_URL$)/.test(name)
    ),
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `cli/${program}.ts`, ...args],
    cwd: root,
    clearEnv: true,
    env: { ...kept, ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("doctor and set-up run as programs, by a stack's line or an env file", async (t) => {
  await using stack = await soundStack();
  const folder = await Deno.makeTempDir({ prefix: "lead-sync-" });
  await using _folder = {
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  const line = `${folder}/stack.json`;
  await Deno.writeTextFile(line, JSON.stringify(stack.ready));

  await t.step("a sound stack: status 0, and a line for each check", async () => {
    const { code, stdout } = await command("doctor", ["--stack", line]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^pass {2}doorbell\.round_trip/m);
    assert.match(stdout, / 0 fail$/m);
  });

  await t.step("a fault: status 1, and JSON for programs", async () => {
    const file = `${folder}/project.env`;
    const { apiUrl, dbUrl, secretKey, publishableKey } = stack.ready;
    await Deno.writeTextFile(
      file,
      [
        "# the project; the settings of its functions are in a file of their own",
        `SUPABASE_URL=${apiUrl}`,
        `SUPABASE_DB_URL="${dbUrl}"`,
        `SUPABASE_SECRET_KEY=${secretKey}`,
        `SUPABASE_PUBLISHABLE_KEY=${publishableKey}`,
      ].join("\n"),
    );
    const settings = `${folder}/functions.env`;
    await Deno.writeTextFile(settings, "MAUTIC_BASE_URL=https://mautic.example.com/api\n");
    const files = ["--env-file", settings, "--env-file", file];
    const { code, stdout } = await command("doctor", [...files, "--json"]);
    assert.equal(code, 1);
    const report: ReturnType<typeof makeReport> = JSON.parse(stdout);
    assert.equal(report.ok, false);
    const finding = report.findings.find(({ check }) => check === "env.mautic");
    assert.equal(finding?.verdict, "fail");
    assert.match(String(finding?.message), /MAUTIC_CLIENT_ID is not set/);
  });

  await t.step("set-up on what is set up already: nothing to do", async () => {
    const { code, stdout } = await command("setup", ["--stack", line, "--dry-run"]);
    assert.equal(code, 0);
    assert.equal(stdout, "nothing to do: all is there\n");
  });

  await t.step("set-up for programs: JSON with what it would do, without a secret", async () => {
    await stack.sql`delete from vault.secrets where name = 'mautic_sync_key'`;
    const { code, stdout } = await command("setup", ["--stack", line, "--dry-run", "--json"]);
    assert.equal(code, 0);
    const report: SetupReport = JSON.parse(stdout);
    assert.deepEqual(report, {
      ok: true,
      dryRun: true,
      leftOut: [],
      steps: [{
        kind: "write_secret",
        lines: ["write Vault secret mautic_sync_key (a secret key, not shown)"],
        outcome: "planned",
        note: null,
      }],
      error: null,
    });
    const done = await command("setup", ["--stack", line, "--json"]);
    assert.equal(done.code, 0);
    assert.equal(JSON.parse(done.stdout).steps[0].outcome, "done");
  });

  await t.step(
    "--db-url goes before the variables, and no failure shows its password",
    async () => {
      const env = { SUPABASE_DB_URL: stack.ready.dbUrl };
      const nobody = "postgresql://postgres:hunter2@127.0.0.1:9/postgres";
      for (const program of ["doctor", "setup", "status"]) {
        const { code, stdout, stderr } = await command(
          program,
          ["--db-url", nobody, "--json"],
          env,
        );
        assert.equal(code, 1, stdout + stderr);
        assert.match(stdout + stderr, /ECONNREFUSED/);
        assert.doesNotMatch(stdout + stderr, /hunter2/);
      }
    },
  );

  await t.step("set-up without any settings: status 2, and what to set", async () => {
    const { code, stdout, stderr } = await command("setup", []);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    for (const name of ["MAUTIC_BASE_URL", "SUPABASE_DB_URL", "--db-url", "--env-file"]) {
      assert.ok(stderr.includes(name), name);
    }
  });

  const { dbUrl, apiUrl, secretKey, mauticUrl, mauticClientId, mauticClientSecret } = stack.ready;
  const project = { SUPABASE_URL: apiUrl, SUPABASE_SECRET_KEY: secretKey };
  const mautic = {
    MAUTIC_BASE_URL: mauticUrl,
    MAUTIC_CLIENT_ID: mauticClientId,
    MAUTIC_CLIENT_SECRET: mauticClientSecret,
    MAUTIC_WEBHOOK_SECRET: new URL(stack.ready.webhookUrl).searchParams.get("secret") ?? "",
  };

  await t.step(
    "one half alone: what is left out, and status 0 where that half is complete",
    async () => {
      const vault = await command("setup", ["--db-url", dbUrl], project);
      assert.equal(vault.code, 0, vault.stderr);
      assert.match(vault.stderr, /^Mautic is left out: MAUTIC_BASE_URL/m);
      const half = await command("setup", ["--json"], { ...mautic, SUPABASE_URL: apiUrl });
      assert.equal(half.code, 0, half.stderr);
      assert.match(JSON.parse(half.stdout).leftOut[0], /^Vault is left out: SUPABASE_DB_URL/);
    },
  );

  await t.step("one half alone and not complete: status 1, and what it lacks", async () => {
    await stack.sql`delete from vault.secrets`;
    const vault = await command("setup", ["--db-url", dbUrl]);
    assert.equal(vault.code, 1);
    assert.match(vault.stdout, /Vault lacks mautic_sync_url[^]*Set SUPABASE_URL/);
    assert.match(vault.stdout, /Vault lacks mautic_sync_key[^]*Set SUPABASE_SECRET_KEY/);
    const half = await command("setup", [], mautic);
    assert.equal(half.code, 1);
    assert.match(half.stdout, /The webhook is not looked at[^]*Set SUPABASE_URL/);
  });

  await t.step("a wrong option: status 2, and the usage", async () => {
    const { code, stderr } = await command("doctor", ["--nonsense"]);
    assert.equal(code, 2);
    assert.match(stderr, /--env-file <file>/);
  });
});
