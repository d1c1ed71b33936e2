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

/** Runs set-up on a terminal, where somebody answers its question. */
async function onTerminal(args: string[], answer: string): Promise<string> {
  const words = [Deno.execPath(), "run", "-A", "cli/setup.ts", ...args];
  const child = new Deno.Command("script", {
    args: ["-qec", words.map((word) => `'${word}'`).join(" "), "/dev/null"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream());
  const input = child.stdin.getWriter();
  let seen = "";
  for await (const part of output) {
    const isAsked = !seen.includes("Shall it?");
    seen += part;
    if (isAsked && seen.includes("Shall it?")) {
      await input.write(new TextEncoder().encode(`${answer}\n`));
    }
  }
  await input.close().catch(() => {});
  await child.status;
  return seen.replaceAll("\r", "");
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

  const { apiUrl: address, mauticUrl: origin } = stack.ready;
  const pair = `project ${new URL(address).host} send to ${origin}`;
  const isLive = async () => {
    const rows = await stack.sql`select from mautic.deployment where live_at is not null`;
    return rows.count === 1;
  };
  const numbers = "1 queued, 1 known (they wait for a confirmed replay); " +
    "of these 1 without consent, 2 without an address";

  await t.step(
    "nobody has said that it sends: in a pipe what to run, and by --dry-run",
    async () => {
      await stack.sql`update mautic.deployment set live_at = null`;
      await stack.sql`select mautic.pause('only counted here')`;
      await stack.sql`insert into public.leads (marketing_opt_in) values (true)`;
      await stack.sql`
      insert into mautic.lead_state (lead_id, source, known_since) values ('old', 'lead', now())`;
      const piped = await command("setup", ["--stack", line]);
      assert.equal(piped.code, 1);
      assert.ok(
        piped.stdout.startsWith(`by hand: Let ${pair}: nothing leaves before\n`),
        piped.stdout,
      );
      assert.ok(piped.stdout.includes(numbers), piped.stdout);
      assert.match(piped.stdout, /deno task setup --go-live, or: select mautic\.go_live\('127\./);
      const planned = await command("setup", ["--stack", line, "--dry-run", "--go-live", "--json"]);
      assert.equal(planned.code, 0);
      assert.deepEqual(JSON.parse(planned.stdout).steps, [{
        kind: "go_live",
        lines: [`let ${pair}`, `    ${numbers}`],
        outcome: "planned",
        note: null,
      }]);
      assert.equal(await isLive(), false);
    },
  );

  await t.step("a copy is told where it was copied from", async () => {
    await stack.sql`
      insert into mautic.deployment (project, origin, live_at) values ('prod', ${origin}, now())`;
    const { stdout } = await command("setup", ["--stack", line, "--dry-run", "--go-live"]);
    assert.match(stdout, /^ {4}This database was copied from project prod, which sends, too\.$/m);
    await stack.sql`delete from mautic.deployment where project = 'prod'`;
  });

  await t.step({
    name: "on a terminal it asks, and does as it is told",
    // Elsewhere `script` takes other arguments.
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const no = await onTerminal(["--stack", line], "n");
      assert.ok(no.includes(`let ${pair}`) && no.includes("Shall it?"), no);
      assert.match(no, /by hand: Let project/);
      assert.equal(await isLive(), false);
      const yes = await onTerminal(["--stack", line], "y");
      assert.doesNotMatch(yes, /by hand/);
      assert.equal(await isLive(), true);
      assert.equal(
        (await command("setup", ["--stack", line])).stdout,
        "nothing to do: all is there\n",
      );
    },
  });

  await t.step("--go-live says yes in a pipe", async () => {
    await stack.sql`update mautic.deployment set live_at = null`;
    const { code, stdout } = await command("setup", ["--stack", line, "--go-live"]);
    assert.equal(code, 0);
    assert.ok(stdout.startsWith(`let ${pair}\n`), stdout);
    assert.equal(await isLive(), true);
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
      assert.match(JSON.parse(half.stdout).leftOut[0], /^Vault, .* are left out: SUPABASE_DB_URL/);
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
