/** Single commits at three rates: latency, throughput, and how often a function is called. */
import { startJobQueue } from "../baselines/job_queue.ts";
import { startDirectSaves } from "../baselines/limits.ts";
import { startRowWebhook } from "../baselines/row_webhook.ts";
import { type Figure, figure, type Line, type Part, type Target } from "../measure.ts";
import type { Contender } from "./contender.ts";
import { startProduct } from "./product.ts";
import { type Trickle, trickle } from "./trickle.ts";

interface Rate {
  perSecond: number;
  commits: number;
}

type Name = "product" | "webhook" | "queue" | "limit";

/** The baselines with what the sweep of the bulk part finds best, or within noise of it. */
const contenders: Record<Name, { label: string; start: () => Promise<Contender> }> = {
  product: { label: "this product", start: () => startProduct() },
  webhook: { label: "a webhook per row", start: () => startRowWebhook(4) },
  queue: { label: "a job per lead", start: () => startJobQueue(4) },
  limit: { label: "saved directly", start: startDirectSaves },
};

const limitName = "a save by the application itself";

export const latencyPart: Part = {
  name: "latency",
  about: "single commits: how long each takes to become a contact, and function calls",
  async run({ quick, note }) {
    const rates: Rate[] = quick
      ? [{ perSecond: 10, commits: 12 }, { perSecond: 50, commits: 40 }]
      : [
        { perSecond: 1, commits: 30 },
        { perSecond: 10, commits: 200 },
        { perSecond: 50, commits: 500 },
      ];
    const measure = async (name: Name): Promise<Trickle[]> => {
      await using contender = await contenders[name].start();
      const results: Trickle[] = [];
      for (const { perSecond, commits } of rates) {
        const result = await trickle(contender, perSecond, commits);
        note(`${contenders[name].label}, ${perSecond} a second: ${result.median.toFixed(0)} ms`);
        results.push(result);
      }
      return results;
    };
    const results = {
      webhook: await measure("webhook"),
      queue: await measure("queue"),
      limit: await measure("limit"),
      product: await measure("product"),
    };
    const lines = (value: (one: Trickle) => number, isSecondary: boolean): Line[] =>
      (["product", "webhook", "queue", "limit"] as const).map((name) => ({
        name: contenders[name].label,
        isSecondary,
        points: rates.map(({ perSecond }, index) => ({
          x: `${perSecond} a second`,
          y: value(at(results[name], index)),
        })),
      }));
    return {
      figures: rates.flatMap((rate, index) =>
        figuresOf(rate.perSecond, {
          product: at(results.product, index),
          webhook: at(results.webhook, index),
          queue: at(results.queue, index),
          limit: at(results.limit, index),
        })
      ),
      series: [
        {
          id: "latency",
          title: "From commit to contact: median, dashed the 95th percentile",
          x: "load",
          y: "ms",
          isLogarithmic: true,
          lines: [...lines((one) => one.median, false), ...lines((one) => one.p95, true)],
        },
        {
          id: "throughput",
          title: "Contacts a second",
          x: "load",
          y: "contacts a second",
          lines: lines((one) => one.perSecond, false),
        },
      ],
    };
  },
};

function figuresOf(rate: number, measured: Record<Name, Trickle>): Figure[] {
  const { product, webhook, queue, limit } = measured;
  const load = `${rate} commit${rate === 1 ? "" : "s"} a second`;
  const latency = (
    of: "median" | "p95",
    against: "webhook" | "queue" | "limit",
    target?: Target,
  ): Figure =>
    figure({
      id: `latency.${rate}.${of}.${against}`,
      name: `commit to contact, ${of === "median" ? "median" : "95th percentile"}, ${load}`,
      unit: "ms",
      value: product[of],
      baseline: {
        webhook: { name: "(a) a webhook per row", value: webhook[of] },
        queue: { name: "(b) a job per lead", value: queue[of] },
        limit: { name: limitName, value: limit[of] },
      }[against],
      ...(target === undefined ? {} : { target }),
    });
  const nearTheLimit: Target = { of: "difference", bound: "at most", limit: 100 };
  const quicker: Target = { of: "ratio", bound: "at most", limit: 1 };
  return [
    latency("median", "limit", rate === 1 ? nearTheLimit : undefined),
    latency("median", "webhook", rate === 10 ? quicker : undefined),
    latency("median", "queue"),
    latency("p95", "limit"),
    latency("p95", "webhook"),
    latency("p95", "queue"),
    figure({
      id: `invocations.${rate}`,
      name: `function calls, ${load}`,
      unit: "invocations per 1,000 commits",
      value: product.invocations,
      baseline: { name: "(a) a webhook per row", value: webhook.invocations },
      ...(rate === 50 ? { target: { of: "value", bound: "at most", limit: 20 } } : {}),
    }),
  ];
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`There is no result ${index}`);
  return item;
}
