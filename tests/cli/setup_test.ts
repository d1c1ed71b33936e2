import assert from "node:assert/strict";
import { openSession } from "../../cli/target_options.ts";
import { readTarget } from "../../cli/target.ts";
import { describeStep } from "../../cli/setup/describe.ts";
import { carryOut, planSetup, type SetupOptions } from "../../cli/setup/run.ts";
import { systemClock } from "shared/runtime/clock.ts";
import type { Env } from "shared/settings/reader.ts";
import { ask, complaints, soundStack, stackEnv } from "./support.ts";

/** Set-up's dependencies on a session of their own. */
function setupOf(env: Env, given: Partial<SetupOptions> = {}): SetupOptions & AsyncDisposable {
  const target = readTarget(env);
  const sql = openSession(target.databaseUrl ?? "");
  return {
    target,
    fetch,
    clock: systemClock,
    sql,
    person: null,
    replace: false,
    goLive: "leave",
    ...given,
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  };
}

/** Does all that is planned, answering it in words. */
async function run(options: SetupOptions): Promise<string[]> {
  const steps = await planSetup(options);
  for (const step of steps) assert.equal(await carryOut(step, options), null);
  return steps.flatMap(describeStep);
}

Deno.test("set-up brings an empty Mautic and an empty Vault to where the doctor passes all", async (t) => {
  await using stack = await soundStack({ mautic: { customFields: [] } });
  const { mautic, sql } = stack;
  // Nothing is there yet; the emulator's own hook is taken away as its API would.
  for (const hook of mautic.hooks.values()) hook.webhookUrl = "https://elsewhere.example.com/hook";
  await sql`delete from vault.secrets`;
  mautic.settings.basicAuthEnabled = true;
  const person = { user: mautic.admin.username, password: mautic.admin.password };
  const env = stackEnv(stack);
  const writes = () =>
    mautic.requests.filter(({ method, path }) => method !== "GET" && path.startsWith("/api/"))
      .length;

  await t.step("the plan alone changes nothing and shows no secret", async () => {
    await using options = setupOf(env, { person });
    const text = (await planSetup(options)).flatMap(describeStep).join("\n");
    assert.match(text, /create contact field hki_score \(number/);
    assert.match(text, /write Vault secret mautic_sync_url/);
    assert.match(text, /create webhook/);
    for (const secret of options.target.secrets) assert.ok(!text.includes(secret));
    assert.equal(writes(), 0);
    assert.equal((await sql`select from vault.secrets`).count, 0);
  });

  await t.step("the first run makes fields, secrets and webhook", async () => {
    await using options = setupOf(env, { person });
    assert.equal((await run(options)).length, 8 + 2 + 1);
    assert.deepEqual(complaints(await ask(env)), []);
    const hook = [...mautic.hooks.values()].at(-1);
    assert.equal(hook?.createdBy.id, 1);
    assert.ok(hook?.dateModified, "edited once, so that its first failure does not switch it off");
  });

  await t.step("a second run changes nothing", async () => {
    const before = writes();
    await using options = setupOf(env, { person });
    assert.deepEqual(await run(options), []);
    assert.equal(writes(), before);
  });

  await t.step("a webhook that was switched off and lost its event is mended", async () => {
    const hook = [...mautic.hooks.values()].at(-1);
    assert.ok(hook);
    Object.assign(hook, { isPublished: false, triggers: ["mautic.email_on_bounce"] });
    await using options = setupOf(env, { person });
    const lines = await run(options);
    assert.deepEqual(lines, [`edit webhook ${hook.id}: isPublished, triggers`]);
    assert.deepEqual(complaints(await ask(env)), ["warn webhook.triggers"]);
    hook.triggers = hook.triggers.filter((each) => each !== "mautic.email_on_bounce");
  });

  await t.step("a Vault secret that differs stays, unless it is to be replaced", async () => {
    const key = "sb_secret_of-another-project";
    const [row] = await sql`select id from vault.secrets where name = 'mautic_sync_key'`;
    await sql`select vault.update_secret(${row?.["id"]}, ${key})`;
    await using keeping = setupOf(env, { person });
    assert.deepEqual(await run(keeping), []);
    await using replacing = setupOf(env, { person, replace: true });
    const lines = await run(replacing);
    assert.deepEqual(lines, ["write Vault secret mautic_sync_key (a secret key, not shown)"]);
    assert.deepEqual(complaints(await ask(env)), []);
  });
});

Deno.test("without a person's credentials set-up says what to enter, and makes no webhook", async () => {
  await using stack = await soundStack();
  const { mautic } = stack;
  for (const hook of mautic.hooks.values()) hook.webhookUrl = "https://elsewhere.example.com/hook";
  const before = mautic.hooks.size;
  await using options = setupOf(stackEnv(stack));
  const text = (await run(options)).join("\n");
  assert.match(text, /by hand: Make the webhook in Mautic, as a person/);
  assert.match(text, /Contact Channel Subscription Change/);
  assert.match(text, /mautic-webhook\?secret=<the value of MAUTIC_WEBHOOK_SECRET>/);
  assert.equal(mautic.hooks.size, before);
  for (const secret of options.target.secrets) assert.ok(!text.includes(secret));
});

Deno.test("a person's credentials that Mautic does not take are reported, with nothing made", async () => {
  await using stack = await soundStack();
  const { mautic } = stack;
  for (const hook of mautic.hooks.values()) hook.webhookUrl = "https://elsewhere.example.com/hook";
  const before = mautic.hooks.size;
  // HTTP basic auth is off in a fresh Mautic.
  await using options = setupOf(stackEnv(stack), { person: { user: "admin", password: "wrong" } });
  const [step] = await planSetup(options);
  assert.ok(step?.kind === "create_hook");
  assert.match(String(await carryOut(step, options)), /Basic Auth disabled.*Switch on HTTP basic/s);
  assert.equal(mautic.hooks.size, before);
});

Deno.test("a field of the wrong type is left to a person", async () => {
  const customFields = [{ alias: "hki_score", type: "text" as const }];
  await using stack = await soundStack({ mautic: { customFields } });
  await using options = setupOf(stackEnv(stack));
  const text = (await run(options)).join("\n");
  assert.match(text, /by hand: Field "hki_score" is of type text, and number is needed/);
  assert.match(text, /select mautic\.unmap_field\('hki_score'\); select mautic\.map_field\(/);
  assert.deepEqual(complaints(await ask(stackEnv(stack))), ["fail mautic.field.hki_score"]);
});
