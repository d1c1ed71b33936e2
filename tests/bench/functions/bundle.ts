/** What a deployment carries: the sources that the real CLI uploads, and the npm packages they use. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { deployFunctions } from "../../../dev/rehearsal/deploy.ts";
import { startManagementApi, type Upload } from "../../../dev/rehearsal/management_api.ts";
import { type Figure, figure, type Part } from "../measure.ts";

/** Supabase's limit for a bundled function. */
const limit = 20 * 1024 ** 2;

const graph = z.object({
  modules: z.array(z.object({ npmPackage: z.string().optional() })),
  npmPackages: z.record(
    z.string(),
    z.object({ dependencies: z.array(z.string()), localPath: z.string() }),
  ),
});

/** Folders of the npm packages that a function reaches; the platform bundles them whole. */
async function packageFolders({ entrypoint, config }: Upload): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", "--config", fileURLToPath(config), entrypoint.href],
  }).output();
  if (!success) throw new Error(`deno info failed: ${new TextDecoder().decode(stderr)}`);
  const { modules, npmPackages } = graph.parse(JSON.parse(new TextDecoder().decode(stdout)));
  const reached = new Set<string>();
  const visit = (id: string) => {
    if (reached.has(id)) return;
    reached.add(id);
    npmPackages[id]?.dependencies.forEach(visit);
  };
  modules.forEach(({ npmPackage }) => npmPackage !== undefined && visit(npmPackage));
  return [...reached].map((id) => {
    const found = npmPackages[id];
    if (found === undefined) throw new Error(`deno info does not know where ${id} lies`);
    return found.localPath;
  });
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) bytes += await bytesIn(path);
    else if (entry.isFile) bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

async function sizes(name: string, upload: Upload): Promise<Figure[]> {
  const id = `bundle.${name.replace("-", "_")}`;
  const own = await bytesIn(upload.folder);
  const folders = await packageFolders(upload);
  let all = own;
  for (const folder of folders) all += await bytesIn(folder);
  return [
    figure({ id: `${id}.uploaded`, name: `${name}: sources uploaded`, unit: "bytes", value: own }),
    figure({
      id: `${id}.bytes`,
      name: `${name}: sources and all files of its ${folders.length} npm packages`,
      unit: "bytes",
      value: all,
      target: { of: "value", bound: "at most", limit },
    }),
  ];
}

export const bundlePart: Part = {
  name: "bundle",
  about: "what the Supabase CLI uploads, and what the platform adds from npm",
  run: async () => {
    await using api = await startManagementApi();
    await deployFunctions(api);
    const figures: Figure[] = [];
    for (const [name, upload] of api.uploads) figures.push(...await sizes(name, upload));
    return { figures };
  },
};
