/**
 * A stand-in for the part of Supabase's management API that a deployment talks to: `config push`,
 * `secrets set` and `functions deploy --use-api`. It lays each upload out in a folder of its own, as
 * the platform's bundler does before it builds the function.
 */
import { dirname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

/** What the CLI says of a function beside its files; the names are the API's. */
const metadataOf = z.looseObject({
  name: z.string(),
  entrypoint_path: z.string(),
  import_map_path: z.string(),
  verify_jwt: z.boolean(),
  static_patterns: z.array(z.string()),
});

export type Upload = {
  metadata: z.infer<typeof metadataOf>;
  /** Paths as uploaded, relative to the project's folder, in alphabetical order. */
  files: string[];
  /** Where the files lie now: nothing else is in that folder. */
  folder: string;
  entrypoint: URL;
  /** The deno.json the function was deployed with. */
  config: URL;
};

export type ManagementApi = AsyncDisposable & {
  url: string;
  projectRef: string;
  /** By name of the function; the last upload of each. */
  uploads: ReadonlyMap<string, Upload>;
  /** Names of the functions that the CLI has switched to their new version. */
  released: ReadonlySet<string>;
  /** Settings of the project's Data API; at first those of a new project. */
  dataApi: Readonly<DataApiSettings>;
  /** What `secrets set` has sent: the functions' environment. */
  secrets: Readonly<Record<string, string>>;
  /** Requests nobody expected, as `GET /path`; answered with 404. */
  unexpected: readonly string[];
};

const dataApiSettings = z.object({
  /** Schemas with commas between them. */
  db_schema: z.string(),
  db_extra_search_path: z.string(),
  max_rows: z.int(),
});
export type DataApiSettings = z.infer<typeof dataApiSettings>;

/** The platform answers with these too; the CLI insists on them. */
const pool = {
  db_pool: null,
  db_pool_acquisition_timeout: null,
  db_pool_max_idletime: null,
  db_pool_max_lifetime: null,
};

const secretList = z.array(z.object({ name: z.string(), value: z.string() }));

/** Answers of the API describe a function like this. */
type FunctionRecord = Record<string, string | number | boolean>;

/** Starts the stand-in on loopback. Its folders go when it is disposed of. */
export async function startManagementApi(): Promise<ManagementApi> {
  const projectRef = "rehearsalrehearsalre";
  const root = await Deno.makeTempDir({ prefix: "lead-sync-uploads-" });
  const uploads = new Map<string, Upload>();
  const released = new Set<string>();
  const unexpected: string[] = [];
  const dataApi: DataApiSettings = {
    db_schema: "public,graphql_public",
    db_extra_search_path: "public, extensions",
    max_rows: 1000,
  };
  const secrets: Record<string, string> = {};
  const project = `/v1/projects/${projectRef}`;
  const functions = `${project}/functions`;

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const slug = searchParams.get("slug");
      if (!/^Bearer sbp_[0-9a-f]{40}$/.test(request.headers.get("authorization") ?? "")) {
        return Response.json({ message: "Unauthorized" }, { status: 401 });
      }
      if (request.method === "POST" && pathname === `${functions}/deploy` && slug !== null) {
        const upload = await layOut(await request.formData(), join(root, slug));
        uploads.set(slug, upload);
        return Response.json(recordOf(slug, upload), { status: 201 });
      }
      // Several functions at once: uploaded with bundleOnly=true, then switched over together.
      if (request.method === "PUT" && pathname === functions) {
        const wanted = z.array(z.looseObject({ slug: z.string() })).parse(await request.json());
        for (const one of wanted) released.add(one.slug);
        return Response.json({ functions: wanted });
      }
      if (pathname === `/v2/projects/${projectRef}/config`) {
        const attributes = { api: dataApi };
        return Response.json({ data: { type: "project_config", id: projectRef, attributes } });
      }
      if (pathname === `${project}/billing/addons`) {
        return Response.json({ selected_addons: [], available_addons: [] });
      }
      if (request.method === "PATCH" && pathname === `${project}/postgrest`) {
        Object.assign(dataApi, dataApiSettings.partial().strict().parse(await request.json()));
        return Response.json({ ...dataApi, ...pool });
      }
      if (request.method === "POST" && pathname === `${project}/secrets`) {
        for (const { name, value } of secretList.parse(await request.json())) secrets[name] = value;
        return Response.json({}, { status: 201 });
      }
      // Asked for its name only; without one, the CLI leaves no note of it in the checkout.
      if (pathname !== project) unexpected.push(`${request.method} ${pathname}`);
      return Response.json({ message: "Not found" }, { status: 404 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    projectRef,
    uploads,
    released,
    dataApi,
    secrets,
    unexpected,
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** @throws {Error} when a file's path leads out of the folder */
async function layOut(form: FormData, folder: string): Promise<Upload> {
  const metadata = metadataOf.parse(JSON.parse(await textOf(form.get("metadata"))));
  const files: string[] = [];
  for (const file of form.getAll("file")) {
    if (typeof file === "string") throw new Error(`A file came without its name: ${file}`);
    const path = normalize(file.name);
    if (path.startsWith("..") || path.startsWith("/")) throw new Error(`${path} lies outside`);
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeFile(join(folder, path), await file.bytes());
    files.push(path);
  }
  return {
    metadata,
    files: files.sort(),
    folder,
    entrypoint: pathToFileURL(join(folder, metadata.entrypoint_path)),
    config: pathToFileURL(join(folder, metadata.import_map_path)),
  };
}

async function textOf(part: FormDataEntryValue | null): Promise<string> {
  return part instanceof File ? await part.text() : part ?? "";
}

function recordOf(slug: string, { metadata }: Upload): FunctionRecord {
  const now = Date.now();
  return {
    id: crypto.randomUUID(),
    slug,
    name: metadata.name,
    status: "ACTIVE",
    version: 1,
    verify_jwt: metadata.verify_jwt,
    import_map: true,
    entrypoint_path: metadata.entrypoint_path,
    import_map_path: metadata.import_map_path,
    created_at: now,
    updated_at: now,
  };
}
