/**
 * Generates shared/database/types.ts from the migrations, with the real Supabase CLI
 * (`deno task types`). A test compares the file with the migrations.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { program, readOptions } from "../cli/options.ts";
import { printNote } from "../cli/print.ts";
import { runSupabase } from "../local/supabase/supabase_cli.ts";
import { createTestDatabase } from "./test_database.ts";

/** The committed file. */
export const typesFile = new URL("../shared/database/types.ts", import.meta.url);

/**
 * The types of schemas `public` and `mautic`, formatted as the rest of the project.
 *
 * @throws {Error} with what the CLI printed when it fails
 */
export async function generateTypes(databaseUrl: string): Promise<string> {
  const { success, stdout, stderr } = await runSupabase([
    ...["gen", "types", "--lang", "typescript", "--schema", "public", "--schema", "mautic"],
    `--remote=${databaseUrl}`,
  ]);
  if (!success) throw new Error(`The types could not be generated:\n${stderr}\n${stdout}`);
  // The CLI (3.1) prints a remark on the connection before the code.
  const begin = stdout.search(/^export type /m);
  if (begin < 0) throw new Error(`The CLI printed no types:\n${stderr}\n${stdout}`);
  return await format(
    "// Generated from the migrations by `deno task types`. Do not edit.\n" +
      // `Database` is what the functions call (shared/database/database.ts).
      stdout.slice(begin).replace(/\bDatabase\b/g, "Schema"),
  );
}

async function format(code: string): Promise<string> {
  const config = new URL("../deno.json", import.meta.url);
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--config", fileURLToPath(config), "--ext", "ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = new Blob([code]).stream().pipeTo(formatter.stdin);
  const { success, stdout, stderr } = await formatter.output();
  await input;
  if (!success) throw new Error(`deno fmt failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  readOptions(program("types"), Deno.args, z.object({}));
  await using database = await createTestDatabase();
  await Deno.writeTextFile(typesFile, await generateTypes(database.url));
  printNote("Written: shared/database/types.ts");
}
