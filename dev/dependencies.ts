/**
 * `deno task dependencies`: writes docs/dependencies.md, every npm package that is used, with its
 * version and licence: what the edge functions bring along, and what only development needs.
 */
import { formatMarkdown } from "./format_markdown.ts";
import { z } from "zod";
import { program, readOptions } from "../cli/options.ts";
import { printResult } from "../cli/print.ts";
import { readPackages, type UsedPackage } from "./dependencies/packages.ts";

const page = new URL("../docs/dependencies.md", import.meta.url);

function table(packages: UsedPackage[]): string {
  const rows = packages.map(({ name, version, license }) =>
    `| ${name} | ${version} | ${license} |`
  );
  return ["| Package | Version | Licence |", "| --- | --- | --- |", ...rows].join("\n");
}

readOptions(program("dependencies"), Deno.args, z.object({}));
const packages = await readPackages();
const inFunctions = packages.filter((each) => each.inFunctions);
const others = packages.filter((each) => !each.inFunctions);
await Deno.writeTextFile(
  page,
  formatMarkdown(`# Dependencies

Every npm package that \`deno.lock\` holds, those of other platforms included; written by
\`deno task dependencies\`. A test fails when this list is not the lock file's, or when a licence is
none of those in \`dev/dependencies/licenses.ts\`. Integrity is \`deno.lock\`'s: a package whose
contents differ is refused.

## In the edge functions

${table(inFunctions)}

## For development and tests only

Postgres itself (PostgreSQL licence), the Supabase CLI and a Deno of the hosted runtime's level come
as npm packages, too.

${table(others)}
`),
);
printResult(`${inFunctions.length} packages in the functions, ${others.length} for development`);
