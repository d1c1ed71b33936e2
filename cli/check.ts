/**
 * `deno task check`: does all that was declared with attach and map_field still exist and read?
 * Needs a migrated database and nothing else, so it runs in a pull request.
 */
import { z } from "zod";
import { messageOf } from "shared/errors/message.ts";
import { common, program, readOptions, refuse } from "./options.ts";
import { printNote, printResult } from "./print.ts";
import { problemLine, readShape, tableLine } from "./shape.ts";
import { databaseVariables, readTarget } from "./target.ts";
import { openSession, takesTarget, targetEnv, targetShape } from "./target_options.ts";

const shape = z.object({ ...targetShape, json: z.boolean().default(false) });

const command = takesTarget(program("check"))
  .addOption(common.json())
  .addHelpText(
    "after",
    "\nIt changes nothing, and asks neither Mautic nor the functions." +
      "\nExit status: 0 all is well, 1 something is wrong or could not be read, 2 wrong options.",
  );

/** Answers whether all is well. */
async function check(databaseUrl: string, json: boolean): Promise<boolean> {
  const sql = openSession(databaseUrl);
  try {
    const { tables, problems } = await readShape(sql);
    const ok = problems.length === 0;
    if (json) printResult(JSON.stringify({ ok, tables, problems }));
    else {
      tables.map(tableLine).forEach(printResult);
      for (const problem of problems) {
        printResult(`${problemLine(problem)}\n  → ${problem.remedy}`);
      }
    }
    return ok;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const options = readOptions(command, Deno.args, shape);
let databaseUrl: string | null;
try {
  databaseUrl = readTarget(await targetEnv(options, Deno.env.toObject())).databaseUrl;
} catch (error) {
  refuse(command, messageOf(error));
}
if (databaseUrl === null) {
  refuse(command, `no database is named; give --db-url or set ${databaseVariables.join(" or ")}`);
}
try {
  if (!await check(databaseUrl, options.json)) Deno.exitCode = 1;
} catch (error) {
  printNote(messageOf(error));
  if (options.json) printResult(JSON.stringify({ ok: false, error: messageOf(error) }));
  Deno.exitCode = 1;
}
