/** How many deliveries of Mautic's the real mautic-webhook takes, over HTTP. */
import { type Stack, startStack } from "../../../local/stack.ts";
import { type Figure, figure, type Part, type PartOptions } from "../measure.ts";

/** Mautic's `webhook_limit`: as many events come in a delivery where it queues them. */
const batch = 10;
/** As many workers of Mautic's deliver at the same time. */
const senders = 4;

const eventType = "mautic.lead_channel_subscription_changed";

/** An opt-out, or the way back, as Mautic's serialiser writes it. */
function event(lead: number, at: Date, subscribed: boolean) {
  return {
    contact: { fields: { core: { email: { value: `h${lead}@example.test` } } } },
    channel: "email",
    old_status: subscribed ? "unsubscribed" : "contactable",
    new_status: subscribed ? "contactable" : "unsubscribed",
    timestamp: at.toISOString(),
  };
}

/** Deliveries a second: `deliveries` of them, all about leads that exist, by several senders. */
async function perSecond(
  post: (body: string) => Promise<void>,
  { leads, deliveries, events, round }: {
    leads: number;
    deliveries: number;
    events: number;
    round: number;
  },
): Promise<number> {
  const at = new Date(Date.UTC(2026, 0, 1, round));
  const bodies = Array.from({ length: deliveries }, (_, delivery) => {
    const first = delivery * events;
    // Spread over the table, so that a large one is large for the cache as well.
    const lead = (index: number) => ((first + index) * 7919) % leads + 1;
    const list = Array.from({ length: events }, (_, i) => event(lead(i), at, round % 2 === 1));
    return JSON.stringify({ [eventType]: list });
  });
  const from = performance.now();
  await Promise.all(Array.from({ length: senders }, async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) await post(body);
  }));
  return deliveries / ((performance.now() - from) / 1_000);
}

async function post(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: "POST", body });
  const text = await response.text();
  if (!response.ok || text.includes('"eventsFailed":') && !text.includes('"eventsFailed":0')) {
    throw new Error(`A delivery was not taken: ${response.status} ${text.slice(0, 500)}`);
  }
}

async function fill(stack: Stack, from: number, to: number): Promise<void> {
  // Without the triggers: nothing is to be sent to a Mautic here.
  await stack.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into public.leads (email)
      select 'h' || i || '@example.test' from generate_series(${from + 1}::int, ${to}::int) i`;
  });
  await stack.admin`vacuum analyze public.leads`;
}

async function throughput(stack: Stack, leads: number, quick: boolean) {
  const url = stack.ready.webhookUrl;
  const deliveries = quick ? 12 : 400;
  const send = (body: string) => post(url, body);
  const given = { leads, deliveries };
  // The first round warms the function, its connections and the database's plans.
  await perSecond(send, { ...given, deliveries: deliveries / 4, events: batch, round: 1 });
  const single = await perSecond(send, { ...given, events: 1, round: 2 });
  const batched = await perSecond(send, { ...given, events: batch, round: 3 });
  return { single, events: batched * batch };
}

async function measure({ quick }: PartOptions): Promise<Figure[]> {
  const [few, many] = quick ? [200, 1_000] : [1_000, 100_000];
  await using stack = await startStack({ mautic: false });
  await fill(stack, 0, few);
  const small = await throughput(stack, few, quick);
  await fill(stack, few, many);
  // Another year: what is older than a lead's last event changes nothing.
  await stack.sql`update public.leads set email_status = null, email_status_changed_at = null
    where email_status is not null`;
  const large = await throughput(stack, many, quick);
  const [fewLeads, manyLeads] = [few, many].map((count) => count.toLocaleString("en"));

  await using bare = await startStack({
    mautic: false,
    functionsFolder: new URL("./fixtures/", import.meta.url),
  });
  const emptyUrl = `${bare.ready.functionsUrl}/empty`;
  const given = { leads: few, deliveries: quick ? 12 : 400, events: 1 };
  await perSecond((body) => post(emptyUrl, body), { ...given, round: 1 });
  const answersOnly = await perSecond((body) => post(emptyUrl, body), { ...given, round: 2 });

  const withMany = `with ${manyLeads} leads`;
  const withFew = `with ${fewLeads}`;
  return [
    figure({
      id: "webhook.deliveries",
      name: `deliveries of one event, stored and applied, ${senders} senders, ${fewLeads} leads`,
      unit: "per second",
      value: small.single,
      baseline: { name: "a function that only answers", value: answersOnly },
    }),
    figure({
      id: "webhook.deliveries.many_leads",
      name: `the same ${withMany}`,
      unit: "per second",
      value: large.single,
      baseline: { name: withFew, value: small.single },
    }),
    figure({
      id: "webhook.events",
      name: `events in deliveries of ${batch}`,
      unit: "per second",
      value: small.events,
      baseline: { name: "one by one", value: small.single },
    }),
    figure({
      id: "webhook.events.many_leads",
      name: `the same ${withMany}`,
      unit: "per second",
      value: large.events,
      baseline: { name: withFew, value: small.events },
    }),
  ];
}

export const webhookPart: Part = {
  name: "webhook",
  about: "deliveries and events a second through mautic-webhook",
  run: async (options) => ({ figures: await measure(options) }),
};
