/** Which npm packages this project uses, by the lock file, and under which licences. */
import { fileURLToPath } from "node:url";
import { z } from "zod";

export interface UsedPackage {
  name: string;
  version: string;
  /** SPDX expression, as the package's own manifest says. */
  license: string;
  /** Is it part of what is deployed? */
  inFunctions: boolean;
}

const root = new URL("../../", import.meta.url);
const lockSchema = z.object({ npm: z.record(z.string(), z.unknown()) });
const infoSchema = z.object({
  modules: z.array(z.object({ npmPackage: z.string().optional() })),
  npmPackages: z.record(
    z.string(),
    z.object({ name: z.string(), version: z.string(), dependencies: z.array(z.string()) }),
  ),
});
const manifestSchema = z.object({
  license: z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]),
});

/** `name@version` of every package in the lock file, in order. */
export async function lockedPackages(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("deno.lock", root));
  const { npm } = lockSchema.parse(JSON.parse(text));
  // Behind the version stand the peers that a package was resolved with: `a@1.0.0_b@2.0.0`.
  const ids = Object.keys(npm).map((key) => /^@?[^@]+@[^_]+/.exec(key)?.[0] ?? key);
  return [...new Set(ids)].sort();
}

/** `name@version` of the packages that the edge functions import, with all they import. */
export async function packagesOfFunctions(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const name of ["mautic-sync", "mautic-webhook"]) {
    const module = fileURLToPath(new URL(`supabase/functions/${name}/index.ts`, root));
    const { modules, npmPackages } = infoSchema.parse(await askDeno("info", "--json", module));
    const queue = modules.flatMap(({ npmPackage }) => npmPackage ?? []);
    const seen = new Set<string>();
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const known = npmPackages[id];
      if (known === undefined || seen.has(id)) continue;
      seen.add(id);
      found.add(`${known.name}@${known.version}`);
      queue.push(...known.dependencies);
    }
  }
  return found;
}

const folders = z.object({ npmCache: z.string() });
let denoFolders: Promise<z.infer<typeof folders>> | undefined;

/** The licence in the manifest of a package in Deno's cache; undefined when it is not there. */
export async function installedLicense(id: string): Promise<string | undefined> {
  const at = id.lastIndexOf("@");
  const { npmCache } = await (denoFolders ??= askDeno("info", "--json").then(folders.parse));
  for await (const registry of Deno.readDir(npmCache)) {
    const file = `${npmCache}/${registry.name}/${id.slice(0, at)}/${id.slice(at + 1)}/package.json`;
    const text = await Deno.readTextFile(file).catch(() => undefined);
    if (text !== undefined) return manifestSchema.safeParse(JSON.parse(text)).data?.license;
  }
  return undefined;
}

/** All packages with their licences; asks the registry for those of other platforms. */
export async function readPackages(): Promise<UsedPackage[]> {
  const deployed = await packagesOfFunctions();
  const packages: UsedPackage[] = [];
  for (const id of await lockedPackages()) {
    const at = id.lastIndexOf("@");
    packages.push({
      name: id.slice(0, at),
      version: id.slice(at + 1),
      license: await installedLicense(id) ?? await publishedLicense(id),
      inFunctions: deployed.has(id),
    });
  }
  return packages;
}

async function publishedLicense(id: string): Promise<string> {
  const { stdout, success } = await new Deno.Command("npm", {
    args: ["view", id, "license", "--json"],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const license = success && text !== "" ? z.string().safeParse(JSON.parse(text)).data : undefined;
  return license ?? "unknown";
}

async function askDeno(...args: string[]): Promise<unknown> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: fileURLToPath(root),
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
