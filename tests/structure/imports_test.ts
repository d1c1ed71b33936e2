import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const root = new URL("../../", import.meta.url);

/** What the files of each folder may import, besides each other and npm packages. */
const allowed: Record<string, readonly string[]> = {
  "shared/": [],
  "supabase/functions/mautic-sync/": ["shared/"],
  "supabase/functions/mautic-webhook/": ["shared/"],
  "cli/": ["shared/"],
  // The stack on this machine prints, reads options and opens databases as the commands do.
  "local/": [
    ...["shared/", "cli/print.ts", "cli/options.ts", "cli/env_files.ts"],
    ...["cli/connect.ts", "cli/vault_secrets.ts"],
  ],
  "dev/": ["shared/", "cli/", "local/"],
  "tests/": ["shared/", "supabase/functions/", "cli/", "local/", "dev/"],
};

const reference = z.object({ specifier: z.string() }).optional();
const infoSchema = z.object({
  modules: z.array(z.object({
    specifier: z.string(),
    dependencies: z.array(z.object({ code: reference, type: reference })).default([]),
  })),
});

/** The project's files, by path, each with those it imports, types included. */
type Imports = Map<string, string[]>;

async function sources(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, root)));
  const found = await Promise.all(entries.map(async ({ name, isDirectory }) => {
    if (isDirectory) return await sources(`${folder}${name}/`);
    return name.endsWith(".ts") ? [`${folder}${name}`] : [];
  }));
  return found.flat();
}

/** As Deno resolves them, from one module that imports every file; nothing is run. */
async function readImports(): Promise<Imports> {
  const files = (await Promise.all(Object.keys(allowed).map(sources))).flat();
  const entry = await Deno.makeTempFile({ prefix: "lead-sync-", suffix: ".ts" });
  try {
    const lines = files.map((file) => `import ${JSON.stringify(new URL(file, root).href)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", fileURLToPath(new URL("deno.json", root)), entry],
      cwd: fileURLToPath(root),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.ok(success, text(stderr));
    const known = new Set(files);
    const imports: Imports = new Map();
    for (const { specifier, dependencies } of infoSchema.parse(JSON.parse(text(stdout))).modules) {
      if (!known.has(pathOf(specifier))) continue;
      const targets = dependencies.flatMap(({ code, type }) => code ?? type ?? []);
      imports.set(
        pathOf(specifier),
        targets.map((target) => pathOf(target.specifier)).filter((path) => known.has(path)),
      );
    }
    assert.equal(imports.size, files.length);
    return imports;
  } finally {
    await Deno.remove(entry);
  }
}

function pathOf(specifier: string): string {
  return specifier.startsWith(root.href) ? specifier.slice(root.href.length) : specifier;
}

/** Imports that no folder's rule allows, as `a.ts -> b.ts`. */
function trespasses(imports: Imports): string[] {
  return [...imports].flatMap(([from, targets]) => {
    const [folder = "", others = []] = Object.entries(allowed)
      .find(([folder]) => from.startsWith(folder)) ?? [];
    const isAllowed = (to: string) => [folder, ...others].some((each) => to.startsWith(each));
    return targets.filter((to) => !isAllowed(to)).map((to) => `${from} -> ${to}`);
  });
}

/** The first circle that is found, as the path around it; undefined where there is none. */
function circle(imports: Imports): string | undefined {
  const done = new Set<string>();
  const follow = (file: string, path: string[]): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(" -> ");
    if (done.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const found = follow(next, [...path, file]);
      if (found !== undefined) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const found = follow(file, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

const imports = await readImports();

Deno.test("every folder imports only from those below it", () => {
  assert.deepEqual(trespasses(imports), []);
});

Deno.test("no files import each other in a circle", () => {
  assert.equal(circle(imports), undefined);
});

Deno.test("an import that runs upwards, and a circle, are found", () => {
  const wrong: Imports = new Map([
    ["shared/log.ts", ["cli/print.ts"]],
    ["local/demo.ts", ["cli/print.ts", "cli/doctor/examine.ts"]],
    ["cli/print.ts", ["cli/a.ts"]],
    ["cli/a.ts", ["cli/print.ts"]],
  ]);
  assert.deepEqual(trespasses(wrong), [
    "shared/log.ts -> cli/print.ts",
    "local/demo.ts -> cli/doctor/examine.ts",
  ]);
  assert.equal(circle(wrong), "cli/print.ts -> cli/a.ts -> cli/print.ts");
});
