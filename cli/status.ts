/** `deno task status`: the state of the sync of any database, as a page or as JSON. */
import { printNote, printResult } from "./print.ts";
import { readStatusOptions, type StatusOptions } from "./status/options.ts";
import { renderPage } from "./status/page.ts";
import { readReport } from "./status/read_status.ts";
import { connect } from "./connect.ts";

const deadLetters = 10;
const clearScreen = "\x1b[H\x1b[2J\x1b[3J";

async function show({ databaseUrl, json, watchSeconds }: StatusOptions): Promise<void> {
  const sql = connect(databaseUrl, { max: 1, connect_timeout: 10 });
  try {
    while (true) {
      const report = await readReport(sql, deadLetters);
      const page = json ? JSON.stringify(report) : renderPage(report, Date.now());
      const onScreen = watchSeconds !== undefined && !json && Deno.stdout.isTerminal();
      printResult(onScreen ? clearScreen + page : page);
      if (watchSeconds === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, watchSeconds * 1000));
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}

try {
  await show(readStatusOptions(Deno.args, Deno.env.toObject()));
} catch (error) {
  printNote(error instanceof Error ? error.message || error.name : String(error));
  Deno.exitCode = 1;
}
