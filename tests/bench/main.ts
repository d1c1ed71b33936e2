/**
 * `deno task bench [part…] [--json FILE] [--plot FILE] [--quick]`: measures, prints a table, and
 * writes what it found. Without names every part runs; `--list` says which there are.
 */
import { parseArgs } from "node:util";
import { printNote, printResult } from "../../cli/print.ts";
import { databaseParts } from "./database/parts.ts";
import { functionParts } from "./functions/parts.ts";
import { loadParts } from "./load/parts.ts";
import type { Figure, Part, Series } from "./measure.ts";
import { drawCharts } from "./plot.ts";
import { describeMachine, markdownTable, type Report } from "./report.ts";

const parts: Part[] = [...loadParts, ...databaseParts, ...functionParts];

const { values: options, positionals: names } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    json: { type: "string" },
    plot: { type: "string" },
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

function chosen(): Part[] {
  const unknown = names.find((name) => !parts.some((part) => part.name === name));
  if (unknown !== undefined) {
    const known = parts.map((part) => part.name).join(", ");
    throw new Error(`No part is called "${unknown}"; there are ${known}`);
  }
  return names.length === 0 ? parts : parts.filter((part) => names.includes(part.name));
}

async function runParts(): Promise<{ figures: Figure[]; series: Series[] }> {
  const figures: Figure[] = [];
  const series: Series[] = [];
  for (const part of chosen()) {
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

if (options.list) {
  for (const part of parts) printResult(`${part.name.padEnd(16)} ${part.about}`);
} else {
  const report: Report = {
    date: new Date().toISOString(),
    command: ["deno task bench", ...Deno.args].join(" "),
    machine: await describeMachine(),
    ...await runParts(),
  };
  printResult(markdownTable(report.figures));
  if (options.json !== undefined) {
    await Deno.writeTextFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (options.plot !== undefined) {
    if (report.series.length === 0) throw new Error("None of the parts that ran has a chart");
    await Deno.writeTextFile(options.plot, `${drawCharts(report.series)}\n`);
  }
}
// The test database's server ends with the process.
Deno.exit();
