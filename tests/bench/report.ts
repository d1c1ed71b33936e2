/** What a run found: as a table to read, and as JSON to keep. */
import type { Figure, Series, Target } from "./measure.ts";

export interface Report {
  date: string;
  /** What was typed, so that anyone can type it again. */
  command: string;
  machine: { os: string; arch: string; cpus: number; cpu: string; memoryGb: number; deno: string };
  figures: Figure[];
  series: Series[];
}

/** The table of README: Markdown, one line a figure. */
export function markdownTable(figures: readonly Figure[]): string {
  const head = ["Measured", "Value", "Against", "Value", "Ratio", "Target", "Met"];
  const rows = figures.map((one) => [
    one.name,
    `${readable(one.value)} ${one.unit}`,
    one.baseline?.name ?? "",
    one.baseline === null ? "" : readable(one.baseline.value),
    one.ratio === null ? "" : `${readable(one.ratio)}×`,
    one.target === null ? "" : targetText(one.target),
    one.isMet === null ? "" : one.isMet ? "yes" : "**no**",
  ]);
  const rule = ["---", "---:", "---", "---:", "---:", "---", "---"];
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function targetText({ of, bound, limit }: Target): string {
  const sign = bound === "at most" ? "≤" : "≥";
  const text = limit.toLocaleString("en", { maximumFractionDigits: 4 });
  return {
    value: `${sign} ${text}`,
    ratio: `${sign} ${text}×`,
    difference: `${sign} +${text}`,
  }[of];
}

/** Three digits that count, whatever the size. */
function readable(value: number): string {
  return value.toLocaleString(
    "en",
    value >= 100 ? { maximumFractionDigits: 0 } : {
      maximumSignificantDigits: value < 0.1 ? 2 : 3,
    },
  );
}

/** The machine a run was made on. */
export async function describeMachine(): Promise<Report["machine"]> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    cpus: navigator.hardwareConcurrency,
    cpu: /^model name\s*: (.*)$/m.exec(info)?.[1] ?? "unknown",
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    deno: Deno.version.deno,
  };
}
