/** The charts of a run, as one SVG. */
import { init } from "echarts";
import type { Line, Series } from "./measure.ts";

const width = 1000;
const rowHeight = 400;
const legendHeight = 40;
const colours = ["#0b6e4f", "#c8553d", "#8a6fb0", "#7a7a7a", "#b8860b", "#2f6db5"];

/** Draws a chart for each id, two in a row; series of one id are drawn together. */
export function drawCharts(series: readonly Series[]): string {
  const charts = mergeById(series);
  const names = [...new Set(charts.flatMap(({ lines }) => lines.map((line) => line.name)))];
  const columns = Math.min(charts.length, 2);
  const height = Math.ceil(charts.length / columns) * rowHeight + legendHeight;
  const place = (index: number) => ({
    left: (index % columns) * width / columns,
    top: Math.floor(index / columns) * rowHeight,
  });
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: "sans-serif" },
      legend: { data: names, bottom: 5, itemGap: 25 },
      title: charts.map(({ title }, index) => ({
        text: title,
        left: place(index).left + width / columns / 2,
        top: place(index).top + 10,
        textAlign: "center",
        textStyle: { fontSize: 14 },
      })),
      grid: charts.map((_, index) => ({
        left: place(index).left + 65,
        top: place(index).top + 75,
        width: width / columns - 95,
        height: rowHeight - 115,
      })),
      xAxis: charts.map((one, index) => ({
        type: "category",
        gridIndex: index,
        data: loadsOf(one.lines),
        axisLabel: { interval: 0, fontSize: 10 },
      })),
      yAxis: charts.map(({ y, isLogarithmic }, index) => ({
        type: isLogarithmic === true ? "log" : "value",
        gridIndex: index,
        name: y,
        nameTextStyle: { align: "center" },
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
