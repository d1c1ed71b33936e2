import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const root = new URL("../../", import.meta.url);
const infoSchema = z.object({
  modules: z.array(z.object({
    specifier: z.string(),
    dependencies: z.array(z.object({
      code: z.object({ specifier: z.string().optional() }).optional(),
      isDynamic: z.boolean().default(false),
    })).default([]),
  })),
});

/** The project's files that run before a function answers for the first time: no types, no `import()`. */
async function loadedAtStart(entrypoint: string): Promise<string[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", fileURLToPath(new URL("deno.json", root)), entrypoint],
    cwd: fileURLToPath(root),
  }).output();
  assert.ok(success);
  const { modules } = infoSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
  const imports = new Map(modules.map(({ specifier, dependencies }) => [
    specifier,
    dependencies.flatMap(({ code, isDynamic }) => isDynamic ? [] : code?.specifier ?? []),
  ]));
  const loaded = new Set<string>();
  const load = (specifier: string) => {
    if (loaded.has(specifier) || !specifier.startsWith(root.href)) return;
    loaded.add(specifier);
    imports.get(specifier)?.forEach(load);
  };
  load(new URL(entrypoint, root).href);
  return [...loaded].map((specifier) => specifier.slice(root.href.length)).sort();
}

Deno.test("mautic-sync starts without what its actions alone need", async () => {
  const folder = "supabase/functions/mautic-sync/";
  const loaded = await loadedAtStart(`${folder}index.ts`);
  assert.ok(loaded.includes("shared/database/database.ts"));
  const actions = ["actions/", "inbound/", "outbound/"].map((each) => folder + each);
  assert.deepEqual(
    loaded.filter((file) =>
      actions.some((each) => file.startsWith(each)) || file === "shared/mautic/client.ts"
    ),
    [`${folder}actions/act.ts`],
  );
});
