/** `deno task bench [part…]`: measures, prints a table, and writes what it found. */
import { dirname } from "node:path";
import { Argument } from "commander";
import { z } from "zod";
import { common, program, readOptions, refuse } from "../../cli/options.ts";
import { printNote, printResult } from "../../cli/print.ts";
import { databaseParts } from "./database/parts.ts";
import { functionParts } from "./functions/parts.ts";
import { loadParts } from "./load/parts.ts";
import type { Figure, Part, Series } from "./measure.ts";
import { drawCharts } from "./plot.ts";
import { describeMachine, markdownTable, type Report } from "./report.ts";

const parts: Part[] = [...loadParts, ...databaseParts, ...functionParts];

const command = program("bench")
  .addArgument(new Argument("[part...]", "what to measure; everything if not given"))
  .option("--list", "say which parts there are, measure nothing")
  .option("--quick", "small sizes: to see that it runs, not to publish")
  .option("--report <file>", "write what was found to a file, as JSON")
  .option("--plot <file>", "draw the charts into a file, as SVG")
  .addOption(common.json());

const options = readOptions(
  command,
  Deno.args,
  z.object({
    list: z.boolean().default(false),
    quick: z.boolean().default(false),
    report: z.string().optional(),
    plot: z.string().optional(),
    json: z.boolean().default(false),
  }),
);

function chosen(names: readonly string[]): Part[] {
  if (names.some((name) => parts.every((part) => part.name !== name))) {
    const known = parts.map((part) => part.name).join(", ");
    refuse(command, `a part that was named is none; there are ${known}`);
  }
  return names.length === 0 ? parts : parts.filter((part) => names.includes(part.name));
}

async function runParts(chosen: Part[]): Promise<{ figures: Figure[]; series: Series[] }> {
  const figures: Figure[] = [];
  const series: Series[] = [];
  for (const part of chosen) {
    const from = performance.now();
    printNote(`${part.name}: ${part.about}`);
    const result = await part.run({
      quick: options.quick,
      note: (line) => printNote(`  ${line}`),
    });
    printNote(`  ${((performance.now() - from) / 1000).toFixed(1)} s`);
    figures.push(...result.figures.map((one) => options.quick ? withoutTarget(one) : one));
    series.push(...result.series ?? []);
  }
  return { figures, series };
}

/** Small sizes show that it runs; the targets are about large ones. */
function withoutTarget(one: Figure): Figure {
  return { ...one, target: null, isMet: null };
}

function list(parts: Part[]): void {
  const lines = parts.map(({ name, about }) => `${name.padEnd(16)} ${about}`);
  if (options.json) printResult(JSON.stringify(parts.map(({ name, about }) => ({ name, about }))));
  else lines.forEach(printResult);
}

/** Half an hour is not measured for a file that cannot be written. */
async function refuseMissingFolders(): Promise<void> {
  for (const [option, file] of Object.entries({ report: options.report, plot: options.plot })) {
    if (file === undefined) continue;
    const found = await Deno.stat(dirname(file)).catch(() => null);
    if (!found?.isDirectory) {
      refuse(command, `--${option} names a file in a folder that is not there`);
    }
  }
}

async function measure(parts: Part[]): Promise<void> {
  await refuseMissingFolders();
  const report: Report = {
    date: new Date().toISOString(),
    command: ["deno task bench", ...Deno.args].join(" "),
    machine: await describeMachine(),
    ...await runParts(parts),
  };
  printResult(options.json ? JSON.stringify(report) : markdownTable(report.figures));
  if (options.report !== undefined) {
    await Deno.writeTextFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (options.plot !== undefined) {
    if (report.series.length === 0) throw new Error("None of the parts that ran has a chart");
    await Deno.writeTextFile(options.plot, `${drawCharts(report.series)}\n`);
  }
}

const wanted = chosen(command.args);
if (options.list) list(wanted);
else await measure(wanted);
// The test database's server ends with the process.
Deno.exit();
