/** Imports of 1,000 and 10,000 leads, against what a user would do instead. */
import { startJobQueue } from "../baselines/job_queue.ts";
import { startFullBatches } from "../baselines/limits.ts";
import { startRowWebhook } from "../baselines/row_webhook.ts";
import { type Figure, figure, type Line, type Part, type PartOptions } from "../measure.ts";
import { bestConcurrency } from "./best_concurrency.ts";
import { type Bulk, bulk } from "./bulk.ts";
import type { Contender } from "./contender.ts";
import { startProduct } from "./product.ts";

/** MAUTIC_MAX_WORKERS, and the loops of the limit. */
const workers = 2;

interface Sizes {
  /** The leads of each import. */
  imports: number[];
  /** The last import takes minutes: so many of its leads are measured, of (a) and (b) and of (c). */
  first: { baselines: number; limit: number };
}

interface Measured {
  product: Bulk;
  webhook: Bulk;
  queue: Bulk;
  limit: Bulk;
}

export const bulkPart: Part = {
  name: "bulk",
  about: "imports: leads a second and requests a lead",
  async run(options) {
    const sizes = options.quick
      ? { imports: [120], first: { baselines: 120, limit: 120 } }
      : { imports: [1_000, 10_000], first: { baselines: 600, limit: 3_000 } };
    const webhookAt = await bestConcurrency(startRowWebhook, options);
    const queueAt = await bestConcurrency(startJobQueue, options);
    const run = (start: () => Promise<Contender>, first: number) =>
      measure(start, sizes.imports, first, options);
    const webhook = await run(() => startRowWebhook(webhookAt), sizes.first.baselines);
    const queue = await run(() => startJobQueue(queueAt), sizes.first.baselines);
    const limit = await run(() => startFullBatches(workers), sizes.first.limit);
    const product = await run(() => startProduct(workers), Infinity);
    const [quicker = 0] = sizes.imports.slice(-1);
    const fast = {
      limit: at(
        await measure(() => startFullBatches(workers, 2), [quicker], sizes.first.limit, options),
        0,
      ),
      product: at(await measure(() => startProduct(workers, 2), [quicker], Infinity, options), 0),
    };

    const figures: Figure[] = [];
    const lines: Line[] = [];
    for (const [index, count] of sizes.imports.entries()) {
      const measured = {
        product: at(product, index),
        webhook: at(webhook, index),
        queue: at(queue, index),
        limit: at(limit, index),
      };
      figures.push(...figuresOf(count, measured, { webhookAt, queueAt }));
      lines.push(...linesOf(count, measured));
    }
    figures.push(toLimit(quicker, fast, ".fast", ", a Mautic twice as fast"));
    const throughput = {
      id: "throughput",
      title: "Contacts a second",
      x: "load",
      y: "contacts a second",
      lines,
    };
    return { figures, series: [throughput] };
  },
};

/** Each import in turn; of the last, the first so many leads. */
async function measure(
  start: () => Promise<Contender>,
  imports: number[],
  first: number,
  { note }: PartOptions,
): Promise<Bulk[]> {
  await using contender = await start();
  const results: Bulk[] = [];
  for (const count of imports) {
    const isLast = count === imports.at(-1);
    const result = await bulk(contender, count, isLast ? Math.min(count, first) : count);
    note(`${contender.name}, ${count} leads: ${result.perSecond.toFixed(1)} a second`);
    results.push(result);
  }
  return results;
}

function figuresOf(
  count: number,
  { product, webhook, queue, limit }: Measured,
  { webhookAt, queueAt }: { webhookAt: number; queueAt: number },
): Figure[] {
  const leads = count.toLocaleString("en");
  const rate = { name: `${leads} leads imported`, unit: "per second", value: product.perSecond };
  const names = {
    webhook: `(a) a webhook per row, ${webhookAt} at once`,
    queue: `(b) a job per lead, ${queueAt} at once`,
  };
  return [
    figure({
      ...rate,
      unit: "per second",
      id: `bulk.${count}.rate.webhook`,
      baseline: { name: names.webhook, value: webhook.perSecond },
      target: { of: "ratio", bound: "at least", limit: 3.5 },
    }),
    figure({
      ...rate,
      unit: "per second",
      id: `bulk.${count}.rate.queue`,
      baseline: { name: names.queue, value: queue.perSecond },
    }),
    toLimit(count, { product, limit }),
    figure({
      id: `bulk.${count}.requests`,
      name: rate.name,
      unit: "requests per lead",
      value: product.requestsPerLead,
      baseline: { name: names.webhook, value: webhook.requestsPerLead },
      target: { of: "value", bound: "at most", limit: 0.03 },
    }),
  ];
}

function toLimit(
  count: number,
  { product, limit }: Pick<Measured, "product" | "limit">,
  id = "",
  more = "",
): Figure {
  return figure({
    id: `bulk.${count}.rate.limit${id}`,
    name: `${count.toLocaleString("en")} leads imported${more}`,
    unit: "per second",
    value: product.perSecond,
    baseline: {
      name: `(c) a bare loop of full batches, ${workers} workers`,
      value: limit.perSecond,
    },
    target: { of: "ratio", bound: "at least", limit: 0.95 },
  });
}

function linesOf(count: number, measured: Measured): Line[] {
  const load = `${count.toLocaleString("en")} at once`;
  const line = (name: string, { perSecond }: Bulk): Line => ({
    name,
    points: [{ x: load, y: perSecond }],
  });
  return [
    line("this product", measured.product),
    line("a webhook per row", measured.webhook),
    line("a job per lead", measured.queue),
    line("a bare loop of batches", measured.limit),
  ];
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`There is no result ${index}`);
  return item;
}
