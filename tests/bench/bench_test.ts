import assert from "node:assert/strict";
import { startJobQueue } from "./baselines/job_queue.ts";
import { startDirectSaves, startFullBatches } from "./baselines/limits.ts";
import { startRowWebhook } from "./baselines/row_webhook.ts";
import { bulk } from "./load/bulk.ts";
import type { Contender } from "./load/contender.ts";
import { startProduct } from "./load/product.ts";
import { trickle } from "./load/trickle.ts";

/** A save on the emulated server takes 68 ms; what says less did not reach it. */
const quickestSaveMs = 60;

/** The addresses of the run's leads in Mautic, each as often as there is a contact of it. */
function arrived({ mautic }: Contender, tag: RegExp): string[] {
  return [...mautic.contacts.values()]
    .map((contact) => String(contact.values.get("email")))
    .filter((email) => tag.test(email))
    .sort();
}

function expected(emails: string[]): string[] {
  return [...new Set(emails)].sort();
}

/** An import and some single commits; whoever does either must bring each lead to Mautic once. */
async function compete(start: () => Promise<Contender>) {
  await using contender = await start();
  const before = contender.mautic.requests.length;
  const imported = await bulk(contender, 60);
  const requests = contender.mautic.requests.slice(before);
  const commits = await trickle(contender, 20, 6);
  assert.equal(arrived(contender, /^bulk/).length, 60, contender.name);
  assert.equal(arrived(contender, /^trickle/).length, 6, contender.name);
  for (const tag of [/^bulk/, /^trickle/]) {
    assert.deepEqual(arrived(contender, tag), expected(arrived(contender, tag)), contender.name);
  }
  const [contact] = contender.mautic.contacts.values();
  assert.equal(contact?.values.get("firstname"), "First 0", contender.name);
  assert.equal(contact?.values.get("hki_utm_source"), "bench", contender.name);
  assert.equal(imported.requestsPerLead * 60, requests.length, contender.name);
  assert.ok(imported.perSecond > 0 && imported.perSecond < 120, `${imported.perSecond}`);
  assert.ok(commits.median >= quickestSaveMs, `${contender.name}: ${commits.median} ms`);
  assert.ok(commits.p95 >= commits.median, contender.name);
  return {
    imported,
    commits,
    paths: requests.map(({ method, path }) => `${method} ${path}`),
    items: requests.map(({ itemCount }) => itemCount),
  };
}

Deno.test("every contender brings each lead to Mautic once, in the calls that it stands for", async () => {
  const [product, webhook, queue, batches, direct] = await Promise.all([
    compete(startProduct),
    compete(() => startRowWebhook(4)),
    compete(() => startJobQueue(4)),
    compete(() => startFullBatches(2)),
    compete(startDirectSaves),
  ]);
  const times = (paths: string[], path: string) => paths.filter((one) => one === path).length;

  assert.ok(product.paths.every((path) => path === "POST /api/contacts/batch/new"));
  assert.equal(product.paths.length, 2);
  assert.ok(product.imported.invocations >= 1);
  assert.ok(product.commits.invocations >= 1000 / 6);

  assert.equal(times(webhook.paths, "GET /api/contacts"), 60);
  assert.equal(times(webhook.paths, "POST /api/contacts/new"), 60);
  assert.equal(webhook.paths.length, 120);
  assert.equal(webhook.imported.invocations, 60);
  assert.equal(webhook.commits.invocations, 1000);

  assert.equal(times(queue.paths, "POST /api/contacts/new"), 60);
  assert.equal(queue.paths.length, 60);
  assert.equal(times(direct.paths, "POST /api/contacts/new"), 60);
  assert.equal(direct.paths.length, 60);
  // Full ones: a limit that posts less is none.
  assert.deepEqual(batches.items, [50, 10]);
  assert.deepEqual(batches.paths, [
    "POST /api/contacts/batch/new",
    "POST /api/contacts/batch/new",
  ]);
});
