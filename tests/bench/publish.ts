/**
 * `deno task figures`: writes docs/figures.md, the charts and README's table anew from
 * docs/bench.json, which `deno task bench --report docs/bench.json` measures.
 */
import { z } from "zod";
import { program, readOptions } from "../../cli/options.ts";
import { printResult } from "../../cli/print.ts";
import { charts, figuresPage, places, withFigures } from "./documents.ts";
import { formatMarkdown } from "../../dev/format_markdown.ts";
import type { Report } from "./report.ts";

readOptions(program("figures"), Deno.args, z.object({}));
const report: Report = JSON.parse(await Deno.readTextFile(places.report));
const readme = await Deno.readTextFile(places.readme);
await Deno.writeTextFile(places.charts, charts(report));
await Deno.writeTextFile(places.page, formatMarkdown(figuresPage(report)));
await Deno.writeTextFile(places.readme, formatMarkdown(withFigures(readme, report)));
printResult(`${report.figures.length} figures of ${report.date} published`);
