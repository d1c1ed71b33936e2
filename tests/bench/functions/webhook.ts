/** How many deliveries of Mautic's the real mautic-webhook takes, over HTTP. */
import { type Stack, startStack } from "../../../local/stack.ts";
import { type Figure, figure, type Part, type PartOptions, quantile } from "../measure.ts";

/** Mautic's `webhook_limit`: as many events come in a delivery where it queues them. */
const batch = 10;
/** As many workers of Mautic's deliver at the same time. */
const senders = 4;

const eventType = "mautic.lead_channel_subscription_changed";

/** So many leads the events are about, spread over the table however large it is. */
const persons = 1_000;

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

interface Round {
  leads: number;
  deliveries: number;
  /** In each delivery. */
  events: number;
  /** Later rounds tell of later events. */
  round: number;
}

/** Deliveries in which every event changes its lead: each person's next one is the way back. */
function bodiesOf({ leads, deliveries, events, round }: Round): string[] {
  return Array.from({ length: deliveries }, (_, delivery) => {
    const list = Array.from({ length: events }, (_, one) => {
      const index = delivery * events + one;
      const pass = Math.floor(index / persons);
      const lead = (index % persons) * Math.floor(leads / persons) + 1;
      return event(lead, new Date(Date.UTC(2026, 0, 1, round, 0, pass)), pass % 2 === 1);
    });
    return JSON.stringify({ [eventType]: list });
  });
}

/** Deliveries a second, by several senders. */
async function perSecond(
  post: (body: string) => Promise<void>,
  round: Round,
): Promise<number> {
  const bodies = bodiesOf(round).reverse();
  const from = performance.now();
  await Promise.all(Array.from({ length: senders }, async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) await post(body);
  }));
  return round.deliveries / ((performance.now() - from) / 1_000);
}

async function post(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: "POST", body });
  const text = await response.text();
  if (!response.ok || text.includes('"eventsFailed":') && !text.includes('"eventsFailed":0')) {
    throw new Error(`A delivery was not taken: ${response.status} ${text.slice(0, 500)}`);
  }
}

/** On a stack of its own: what earlier deliveries left in the inbox would count against the later. */
async function throughput(leads: number, quick: boolean) {
  await using stack = await startStack({ mautic: false });
  // Without the triggers, and paused: nothing is to be sent to a Mautic here.
  await stack.sql`select mautic.pause('benchmark')`;
  await stack.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into public.leads (email)
      select 'h' || i || '@example.test' from generate_series(1, ${leads}::int) i`;
  });
  // As cron does within minutes: leads are found by address by what is known of them.
  await stack.sql`select mautic.read_unseen('10 minutes')`;
  await stack.admin`vacuum analyze public.leads, mautic.lead_state`;
  const deliveries = quick ? 12 : 200;
  const send = (body: string) => post(stack.ready.webhookUrl, body);
  const given = { leads, deliveries };
  // The first round warms the function, its connections and the database's plans.
  await perSecond(send, { ...given, deliveries: deliveries / 4, events: batch, round: 1 });
  const single: number[] = [];
  const batched: number[] = [];
  for (let round = 2; round < (quick ? 4 : 8); round += 2) {
    // As autovacuum does within a minute: a plan made for an empty inbox would read a full one whole.
    await stack.admin`vacuum analyze
      mautic.webhook_delivery, mautic.webhook_event, mautic.subscription, public.leads`;
    single.push(await perSecond(send, { ...given, events: 1, round }));
    batched.push(await perSecond(send, { ...given, events: batch, round: round + 1 }));
  }
  await allApplied(stack);
  return { single: quantile(single, 0.5), events: quantile(batched, 0.5) * batch };
}

/** What met a lock was left to the sweep; nothing else may be open. */
async function allApplied({ sql }: Stack): Promise<void> {
  await sql`select mautic.apply_pending_deliveries(100000)`;
  const [row] = await sql<{ applied: number; open: number }[]>`
    select count(*) filter (where state = 'applied')::int as applied,
      count(*) filter (where state <> 'applied')::int as open
    from mautic.webhook_event`;
  if (!row || row.applied === 0 || row.open > 0) {
    throw new Error(`Of the events ${row?.applied} were applied and ${row?.open} were not`);
  }
}

async function measure({ quick }: PartOptions): Promise<Figure[]> {
  const [few, many] = quick ? [1_000, 2_000] : [1_000, 100_000];
  const small = await throughput(few, quick);
  const large = await throughput(many, quick);
  const [fewLeads, manyLeads] = [few, many].map((count) => count.toLocaleString("en"));

  await using bare = await startStack({
    mautic: false,
    functionsFolder: new URL("./fixtures/", import.meta.url),
  });
  const emptyUrl = `${bare.ready.functionsUrl}/empty`;
  const given = { leads: few, deliveries: quick ? 12 : 800, events: 1 };
  await perSecond((body) => post(emptyUrl, body), { ...given, round: 1 });
  const answersOnly = await perSecond((body) => post(emptyUrl, body), { ...given, round: 2 });

  const withFew = `with ${fewLeads}`;
  const deliveries = `deliveries of one event, stored and applied, ${senders} senders`;
  const events = `events in deliveries of ${batch}`;
  return [
    figure({
      id: "webhook.deliveries",
      name: `${deliveries}, ${fewLeads} leads`,
      unit: "per second",
      value: small.single,
      baseline: { name: "a function that only answers", value: answersOnly },
    }),
    figure({
      id: "webhook.deliveries.many_leads",
      name: `${deliveries}, ${manyLeads} leads`,
      unit: "per second",
      value: large.single,
      baseline: { name: withFew, value: small.single },
    }),
    figure({
      id: "webhook.events",
      name: `${events}, ${fewLeads} leads`,
      unit: "per second",
      value: small.events,
      baseline: { name: "one by one", value: small.single },
    }),
    figure({
      id: "webhook.events.many_leads",
      name: `${events}, ${manyLeads} leads`,
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
