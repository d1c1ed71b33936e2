/** What a run's report becomes: README's table, the page with every figure, the charts. */
import { drawCharts } from "./plot.ts";
import { markdownTable, type Report } from "./report.ts";

/** Where the documents are, from the project's top. */
export const places = {
  report: "docs/bench.json",
  charts: "docs/bench.svg",
  page: "docs/figures.md",
  readme: "README.md",
};

const begin = "<!-- figures of docs/bench.json, written by `deno task figures` -->";
const end = "<!-- end of the figures -->";

/** Figures that README shows beside all that have a target. */
const alsoInReadme = [
  "latency.1.p95.limit",
  "latency.10.median.limit",
  "latency.10.p95.limit",
  "latency.50.median.limit",
  "latency.50.p95.limit",
  "latency.50.median.webhook",
  "latency.50.median.queue",
  "bulk.10000.rate.queue",
  "claim.since_empty",
  "trigger.one_row_ringing",
  "webhook.deliveries.many_leads",
  "webhook.events.many_leads",
  "start_up.mautic_sync.hosted_deno",
  "start_up.mautic_webhook.hosted_deno",
  "bundle.mautic_sync.uploaded",
  "bundle.mautic_webhook.uploaded",
  "cpu.1000_leads",
];

/**
 * README with the report's figures between its two marks, each on a line of its own.
 *
 * @throws {Error} when a mark is missing, or the report is not one of every part in full size
 */
export function withFigures(readme: string, report: Report): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has lost "${begin}" or "${end}"`);
  return [readme.slice(0, from) + begin, origin(report), readmeTable(report), readme.slice(to)]
    .join("\n\n");
}

function readmeTable({ figures, command }: Report): string {
  const lacking = alsoInReadme.find((id) => !figures.some((one) => one.id === id));
  if (lacking !== undefined || command.includes("--quick")) {
    const why = lacking === undefined ? "is of small sizes" : `has no figure "${lacking}"`;
    throw new Error(`The report ${why}; publish a run of every part, without --quick`);
  }
  return markdownTable(
    figures.filter(({ id, target }) => target !== null || alsoInReadme.includes(id)),
  );
}

/** docs/figures.md: every figure of the report. */
export function figuresPage(report: Report): string {
  return `# Figures

${origin(report)}

${markdownTable(report.figures)}
`;
}

/** docs/bench.svg */
export function charts(report: Report): string {
  return `${drawCharts(report.series)}\n`;
}

function origin({ command, date, machine: { cpus, cpu, memoryGb, os, arch } }: Report): string {
  const machine = `${cpus} cores (${cpu}), ${memoryGb} GB, ${os} ${arch}`;
  return `\`${command}\`, ${date.slice(0, 10)}, ${machine}:`;
}
