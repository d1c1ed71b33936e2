/** `deno task status`: the state of the sync of any database, as a page or as JSON. */
import { Option } from "commander";
import { z } from "zod";
import { messageOf } from "shared/errors/message.ts";
import { connect } from "./connect.ts";
import { common, numberBetween, program, readOptions, refuse } from "./options.ts";
import { printNote, printResult } from "./print.ts";
import { renderPage } from "./status/page.ts";
import { readReport } from "./status/read_status.ts";
import { databaseVariables, readTarget } from "./target.ts";
import { takesTarget, targetEnv, targetShape } from "./target_options.ts";

const deadLetters = 10;
const clearScreen = "\x1b[H\x1b[2J\x1b[3J";

const shape = z.object({
  ...targetShape,
  json: z.boolean().default(false),
  watch: z.number().optional(),
});
type Options = z.infer<typeof shape>;

const command = takesTarget(program("status"))
  .addOption(common.json())
  .addOption(
    new Option("--watch [seconds]", "go on showing it, every so many seconds")
      .argParser(numberBetween(0.1, 3600, { whole: false })).preset("2"),
  )
  .addHelpText(
    "after",
    "\nOn Supabase the database is the connection string of Connect > Direct connection (or Session" +
      "\npooler), as user postgres." +
      "\nExit status: 0 it was read, 1 it could not be, 2 wrong options.",
  );

async function show(databaseUrl: string, { json, watch }: Options): Promise<void> {
  const sql = connect(databaseUrl, { max: 1, connect_timeout: 10 });
  try {
    while (true) {
      const report = await readReport(sql, deadLetters);
      const page = json ? JSON.stringify(report) : renderPage(report, Date.now());
      const onScreen = watch !== undefined && !json && Deno.stdout.isTerminal();
      printResult(onScreen ? clearScreen + page : page);
      if (watch === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, watch * 1000));
    }
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
  await show(databaseUrl, options);
} catch (error) {
  printNote(messageOf(error));
  if (options.json) printResult(JSON.stringify({ ok: false, error: messageOf(error) }));
  Deno.exitCode = 1;
}
