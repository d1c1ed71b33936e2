/** The charts of a run, as one SVG. */
import { init } from "echarts";
import type { Line, Series } from "./measure.ts";

const width = 960;
const height = 420;
const colours = ["#0b6e4f", "#c8553d", "#8a6fb0", "#7a7a7a", "#b8860b"];

/** Draws a chart for each id, side by side; series of one id are drawn together. */
export function drawCharts(series: readonly Series[]): string {
  const charts = mergeById(series);
  const names = [...new Set(charts.flatMap(({ lines }) => lines.map((line) => line.name)))];
  const share = 100 / charts.length;
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      legend: { data: names, bottom: 0 },
      title: charts.map(({ title }, index) => ({
        text: title,
        left: `${share * (index + 0.5)}%`,
        textAlign: "center",
        textStyle: { fontSize: 13 },
      })),
      grid: charts.map((_, index) => ({
        left: `${share * index + 6}%`,
        width: `${share - 9}%`,
        top: 50,
        bottom: 70,
      })),
      xAxis: charts.map((one, index) => ({
        type: "category",
        gridIndex: index,
        data: loadsOf(one.lines),
        axisLabel: { interval: 0, fontSize: 11 },
      })),
      yAxis: charts.map(({ y, isLogarithmic }, index) => ({
        type: isLogarithmic === true ? "log" : "value",
        gridIndex: index,
        name: y,
        axisLabel: { fontSize: 11 },
      })),
      series: charts.flatMap(({ lines }, index) =>
        lines.map((line) => ({
          type: "line",
          name: line.name,
          xAxisIndex: index,
          yAxisIndex: index,
          data: line.points.map(({ x, y }) => [String(x), y]),
          itemStyle: { color: colours[names.indexOf(line.name) % colours.length] },
          lineStyle: { type: line.isSecondary === true ? "dashed" : "solid" },
          symbolSize: line.isSecondary === true ? 4 : 8,
        }))
      ),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function mergeById(series: readonly Series[]): Series[] {
  const merged = new Map<string, Series>();
  for (const one of series) {
    const known = merged.get(one.id);
    const lines = [...known?.lines ?? []];
    for (const line of one.lines) {
      const at = lines.findIndex((other) => isSameLine(other, line));
      const before = lines[at];
      if (before === undefined) lines.push(line);
      else lines[at] = { ...before, points: [...before.points, ...line.points] };
    }
    merged.set(one.id, { ...(known ?? one), lines });
  }
  return [...merged.values()];
}

function isSameLine(one: Line, other: Line): boolean {
  return one.name === other.name && (one.isSecondary ?? false) === (other.isSecondary ?? false);
}

function loadsOf(lines: readonly Line[]): string[] {
  return [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => String(x))))];
}
