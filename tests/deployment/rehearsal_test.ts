import assert from "node:assert/strict";
import { deployFunctions } from "../../dev/rehearsal/deploy.ts";
import { startManagementApi } from "../../dev/rehearsal/management_api.ts";
import { hostedDenoProgram } from "../../local/process/npm_binaries.ts";
import { startStack } from "../../local/stack.ts";
import { mainJob, unsubscribing } from "./jobs.ts";

const names = ["mautic-sync", "mautic-webhook"];

Deno.test("what the Supabase CLI uploads runs, alone, on the hosted runtime's Deno", async (test) => {
  await using api = await startManagementApi();
  const output = await deployFunctions(api);

  await test.step("both functions are uploaded and released, without a warning", () => {
    assert.deepEqual([...api.uploads.keys()].sort(), names);
    assert.deepEqual([...api.released].sort(), names);
    assert.deepEqual(api.unexpected, []);
    assert.doesNotMatch(output, /warn/i);
  });

  for (const [name, upload] of api.uploads) {
    await test.step(`${name} checks its callers itself, and brings the project's import map`, () => {
      assert.equal(upload.metadata.verify_jwt, false);
      assert.equal(upload.metadata.entrypoint_path, `supabase/functions/${name}/index.ts`);
      assert.equal(upload.metadata.import_map_path, "deno.json");
    });

    await test.step(`${name} brings all of its own code, shared code, and nothing else`, async () => {
      const own = new RegExp(`^(deno\\.json|shared/.+\\.ts|supabase/functions/${name}/.+\\.ts)$`);
      assert.deepEqual(upload.files.filter((file) => !own.test(file)), []);
      // What is loaded by `import()` too.
      const folder = `supabase/functions/${name}/`;
      const missing = (await sources(folder)).filter((file) => !upload.files.includes(file));
      assert.deepEqual(missing, []);
    });
  }

  await using stack = await startStack({
    bundles: Object.fromEntries(api.uploads),
    deno: [await hostedDenoProgram()],
  });
  await test.step("an insert becomes an enrolled contact, an update a change of it", async () => {
    await mainJob(stack);
  });
  await test.step("an unsubscription in Mautic is back on the lead row", async () => {
    await unsubscribing(stack);
  });
});

/** The modules of a folder, by their paths in the project. */
async function sources(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(`../../${folder}`, import.meta.url)));
  const found = await Promise.all(entries.map(async ({ name, isDirectory }) => {
    if (isDirectory) return await sources(`${folder}${name}/`);
    return name.endsWith(".ts") ? [`${folder}${name}`] : [];
  }));
  return found.flat();
}
