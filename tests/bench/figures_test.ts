import assert from "node:assert/strict";
import { atMost } from "./baselines/at_most.ts";
import { charts, figuresPage, places, withFigures } from "./documents.ts";
import { formatMarkdown } from "../../dev/format_markdown.ts";
import { createArrivals } from "./load/arrivals.ts";
import { figure, quantile, type Series, type Target } from "./measure.ts";
import { drawCharts } from "./plot.ts";
import { markdownTable, type Report } from "./report.ts";

const given = { id: "x.y", name: "something", unit: "ms" as const };

Deno.test("figure() takes the ratio against its baseline", () => {
  const one = figure({ ...given, value: 30, baseline: { name: "before", value: 20 } });
  assert.deepEqual([one.ratio, one.target, one.isMet], [1.5, null, null]);
  assert.equal(figure({ ...given, value: 30 }).ratio, null);
});

Deno.test("figure() judges a target by value, ratio or difference, both bounds included", () => {
  const met = (target: Target) =>
    figure({ ...given, value: 30, baseline: { name: "before", value: 20 }, target }).isMet;
  assert.equal(met({ of: "value", bound: "at most", limit: 30 }), true);
  assert.equal(met({ of: "value", bound: "at most", limit: 29 }), false);
  assert.equal(met({ of: "ratio", bound: "at least", limit: 1.5 }), true);
  assert.equal(met({ of: "ratio", bound: "at least", limit: 1.6 }), false);
  assert.equal(met({ of: "difference", bound: "at most", limit: 10 }), true);
  assert.equal(met({ of: "difference", bound: "at most", limit: 9 }), false);
});

Deno.test("figure() refuses to judge a ratio that has no baseline", () => {
  const target: Target = { of: "ratio", bound: "at most", limit: 1 };
  assert.throws(() => figure({ ...given, value: 1, target }), /ratio needs a baseline/);
});

Deno.test("quantile() takes the nearest rank", () => {
  const values = [5, 1, 4, 2, 3, 6, 7, 8, 9, 10];
  assert.equal(quantile(values, 0.5), 5);
  assert.equal(quantile(values, 0.95), 10);
  assert.equal(quantile([7], 0.5), 7);
});

Deno.test("markdownTable() says what was measured against what, and which targets are missed", () => {
  const table = markdownTable([
    figure({
      ...given,
      value: 1234.5,
      baseline: { name: "a baseline", value: 500 },
      target: { of: "ratio", bound: "at most", limit: 2 },
    }),
    figure({ ...given, name: "alone", unit: "bytes", value: 0.0213 }),
  ]);
  assert.deepEqual(table.split("\n").slice(2), [
    "| something | 1,235 ms | a baseline | 500 | 2.47× | ≤ 2× | **no** |",
    "| alone | 0.021 bytes |  |  |  |  |  |",
  ]);
});

function series(points: Series["lines"][number]["points"]): Series {
  return {
    id: "one",
    title: "A chart",
    x: "load",
    y: "ms",
    lines: [{ name: "a <contender>", points }],
  };
}

Deno.test("drawCharts() draws what belongs to one chart together, each load once", () => {
  const svg = drawCharts([
    series([{ x: "low", y: 1 }, { x: "high", y: 2 }]),
    series([{ x: "highest", y: 3 }]),
  ]);
  assert.match(svg, /^<svg /);
  for (const text of ["A chart", "low", "high", "highest", "a &lt;contender&gt;"]) {
    assert.equal(svg.split(`>${text}</text>`).length - 1, 1, text);
  }
});

const project = new URL("../../", import.meta.url);
const committed = (place: string) => Deno.readTextFile(new URL(place, project));

/** echarts numbers its names through all charts of a process. */
const withoutNumbers = (svg: string) => svg.replaceAll(/\bzr\d+-(c|cls-)\d+/g, "$1");

Deno.test("README, docs/figures.md and the charts show the committed report", async () => {
  const report: Report = JSON.parse(await committed(places.report));
  const readme = await committed(places.readme);
  assert.equal(formatMarkdown(withFigures(readme, report)), readme);
  assert.equal(formatMarkdown(figuresPage(report)), await committed(places.page));
  assert.equal(withoutNumbers(charts(report)), withoutNumbers(await committed(places.charts)));
});

Deno.test("withFigures() takes no report that lacks a figure, or is of small sizes", async () => {
  const report: Report = JSON.parse(await committed(places.report));
  const readme = await committed(places.readme);
  const [first, ...others] = report.figures.filter(({ id }) => id === "cpu.1000_leads");
  assert.deepEqual([first?.id, others], ["cpu.1000_leads", []]);
  const partly = report.figures.filter((one) => one !== first);
  assert.throws(
    () => withFigures(readme, { ...report, figures: partly }),
    /no figure "cpu.1000_leads"/,
  );
  assert.throws(
    () => withFigures(readme, { ...report, command: "deno task bench --quick" }),
    /small sizes/,
  );
  assert.throws(() => withFigures("# No marks", report), /README.md has lost/);
});

Deno.test("atMost() runs so many at a time and lets the next in when one fails", async () => {
  const limited = atMost(2);
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  const work = (fails: boolean) => async () => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running--;
    if (fails) throw new Error("failed");
  };
  const all = Promise.allSettled([true, false, true, false].map((fails) => limited(work(fails))));
  for (let done = 0; done < 4; done++) {
    while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
    ends.shift()?.();
  }
  assert.deepEqual((await all).map(({ status }) => status), [
    "rejected",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert.equal(most, 2);
});

Deno.test("arrivals tell of the first time a contact was seen, and count each once", async () => {
  const arrivals = createArrivals();
  const two = arrivals.reached(2);
  arrivals.note("a@example.test");
  const first = arrivals.at("a@example.test");
  arrivals.note("a@example.test");
  assert.equal(arrivals.count(), 1);
  assert.equal(arrivals.at("a@example.test"), first);
  arrivals.note("b@example.test");
  await two;
  arrivals.reset();
  assert.equal(arrivals.count(), 0);
});
