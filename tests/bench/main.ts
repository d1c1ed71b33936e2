/** `deno task bench`: prints a table and writes it as JSON where `--json <file>` says. */
import { printNote, printResult } from "../../local/print.ts";
import { claimTime, deliveryTime, triggerCost } from "./database.ts";
import type { Figure } from "./measure.ts";

const figures: Figure[] = [];
const parts: (() => Promise<Figure | Figure[]>)[] = [
  triggerCost,
  () => claimTime(1_000_000),
  () => deliveryTime(100_000),
];
for (const part of parts) {
  figures.push(...[await part()].flat());
  printNote(`${figures.length} figures`);
}

printResult("| Measured | Against | ms | ms | Ratio |");
printResult("| --- | --- | ---: | ---: | ---: |");
for (const { name, baseline, measuredMs, baselineMs, ratio } of figures) {
  const cells = [name, baseline, measuredMs.toFixed(1), baselineMs.toFixed(1), ratio.toFixed(2)];
  printResult(`| ${cells.join(" | ")} |`);
}
const at = Deno.args.indexOf("--json");
const file = at < 0 ? undefined : Deno.args[at + 1];
if (file !== undefined) {
  const machine = { os: Deno.build.os, arch: Deno.build.arch, cpus: navigator.hardwareConcurrency };
  const report = { date: new Date().toISOString(), machine, figures };
  await Deno.writeTextFile(file, `${JSON.stringify(report, null, 2)}\n`);
}
// The test database's server ends with the process.
Deno.exit();
