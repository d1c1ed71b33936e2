/**
 * The linter that `supabase db lint` needs in the database. The embedded Postgres has none; a package
 * of the operating system (Debian: postgresql-15-plpgsql-check) can lend its files, as long as the
 * major versions agree.
 */
import { basename, join } from "node:path";
import type { Sql } from "postgres";
import { z } from "zod";
import type { PostgresMajor } from "../local/process/npm_binaries.ts";

export type PlpgsqlCheckFiles = {
  major: PostgresMajor;
  library: string;
  /** The control file and its scripts. */
  extension: string[];
};

/** Where Debian's and PGDG's packages put the files. */
const places = (major: PostgresMajor) => [
  { lib: `usr/lib/postgresql/${major}/lib`, share: `usr/share/postgresql/${major}/extension` },
  { lib: `usr/pgsql-${major}/lib`, share: `usr/pgsql-${major}/share/extension` },
];

/**
 * The files, where this machine has them; the newest Postgres first.
 *
 * @param root where the package is: `/` once installed, else the folder it was unpacked in
 */
export async function findPlpgsqlCheck(root: string): Promise<PlpgsqlCheckFiles | undefined> {
  for (const major of [17, 15] as const) {
    for (const { lib, share } of places(major)) {
      const library = join(root, lib, "plpgsql_check.so");
      if (!(await Deno.stat(library).catch(() => undefined))?.isFile) continue;
      const names = [...Deno.readDirSync(join(root, share))].map((entry) => entry.name);
      const extension = names
        .filter((name) => /^plpgsql_check(--.+\.sql|\.control)$/.test(name))
        .map((name) => join(root, share, name));
      return { major, library, extension };
    }
  }
  return undefined;
}

/** Lets `create extension plpgsql_check` work on a running embedded Postgres of the same version. */
export async function lendPlpgsqlCheck(admin: Sql, files: PlpgsqlCheckFiles): Promise<void> {
  const rows = await admin`select name, setting from pg_config`;
  const folders = z.object({ PKGLIBDIR: z.string(), SHAREDIR: z.string() })
    .parse(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])));
  await Deno.copyFile(files.library, join(folders.PKGLIBDIR, "plpgsql_check.so"));
  for (const file of files.extension) {
    const target = join(folders.SHAREDIR, "extension", basename(file));
    const text = await Deno.readTextFile(file);
    // The platform lets `postgres`, no superuser there, create it.
    await Deno.writeTextFile(
      target,
      file.endsWith(".control") ? `${text}\ntrusted = true\n` : text,
    );
  }
}
