/** How long a claim and its settle take, as the outbox, the change log and their waste grow. */
import type postgres from "postgres";
import type { Sql } from "postgres";
import { testDatabase } from "../../support/database.ts";
import { claim, settle, startWorker } from "../../support/leads.ts";
import {
  type Figure,
  figure,
  type Part,
  type PartOptions,
  type PartResult,
  quantile,
} from "../measure.ts";

const batch = 50;

interface Times {
  claim: number;
  settle: number;
}

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, result: T]> {
  const from = performance.now();
  const result = await work();
  return [performance.now() - from, result];
}

/** Leads, and a queue of them, made directly: this is about its length, not how it came to be. */
async function enqueue(sql: Sql, from: number, to: number): Promise<void> {
  await sql.begin(async (own) => {
    await own`set local session_replication_role = replica`;
    await own`
      with lead as (
        insert into public.leads (email, first_name, last_name)
        select 'c' || i || '@example.test', 'First' || i, 'Last' || i
        from generate_series(${from + 1}::int, ${to}::int) i
        returning id
      )
      insert into mautic.outbox (lead_id, correlation_id, enqueued_at, changed_at)
      select id::text, 'bench', now() + random() * interval '1 hour', now() from lead`;
  });
  // None of them was there before the table was attached, as far as a fold can tell.
  await sql`update mautic.attachment set read_to_end_at = now()`;
  await sql`vacuum analyze public.leads, mautic.outbox`;
}

let contactId = 0;

/** What a batch that Mautic took comes to. */
function confirmed(items: { lead_id: string; address: string | null }[]) {
  return items.map(({ lead_id, address }): Record<string, postgres.JSONValue> => ({
    lead_id,
    result: "done",
    action: "created",
    contact_id: ++contactId,
    address,
    lead_address: address,
    snapshot: { email: address, firstname: "First", lastname: "Last", hki_lead_id: lead_id },
    refused: {},
    do_not_contact: [],
    filled: ["email", "firstname", "lastname", "hki_lead_id"],
    shows_lead: true,
    changed_at: new Date().toISOString(),
  }));
}

/** One batch as a worker takes it: claimed, and settled as done. */
async function takeBatch(sql: Sql, worker: string): Promise<Times> {
  const [claimMs, claimed] = await timed(() => claim(sql, worker, { limit: batch }));
  if (claimed.items.length !== batch) {
    throw new Error(`Claimed ${claimed.items.length} leads, not ${batch}`);
  }
  const outcomes = confirmed(claimed.items);
  const [settleMs, answer] = await timed(() => settle(sql, claimed.lease_token, outcomes));
  if (answer.settled !== batch) throw new Error(`Settled ${answer.settled} leads, not ${batch}`);
  return { claim: claimMs, settle: settleMs };
}

/** By one session, as the Data API's pool keeps its own; its first batches only make the plans. */
async function takeBatches(sql: Sql, worker: string, count = 15): Promise<Times> {
  const times: Times[] = [];
  const session = await sql.reserve();
  try {
    for (let round = 0; round < 3; round++) await takeBatch(session, worker);
    for (let round = 0; round < count; round++) times.push(await takeBatch(session, worker));
  } finally {
    session.release();
  }
  return {
    claim: quantile(times.map((each) => each.claim), 0.5),
    settle: quantile(times.map((each) => each.settle), 0.5),
  };
}

/** One queue that grows from size to size. */
async function byLength({ quick, note }: PartOptions): Promise<PartResult> {
  const sizes = quick ? [1_000, 5_000] : [1_000, 10_000, 100_000, 1_000_000];
  await using db = await testDatabase();
  const worker = await startWorker(db.sql, 3_600_000);
  const measured: { size: number; times: Times }[] = [];
  let made = 0;
  for (const size of sizes) {
    await enqueue(db.sql, made, size);
    made = size;
    measured.push({ size, times: await takeBatches(db.sql, worker) });
    note(`${size.toLocaleString("en")} queued leads`);
  }
  const [short, long] = [measured[0], measured.at(-1)];
  if (!short || !long) throw new Error("No size was measured");
  const figures = (["claim", "settle"] as const).map((step) =>
    figure({
      id: `${step}.long_queue`,
      name: `${step} of ${batch} with ${long.size.toLocaleString("en")} queued leads`,
      unit: "ms",
      value: long.times[step],
      baseline: {
        name: `with ${short.size.toLocaleString("en")}`,
        value: short.times[step],
      },
      target: { of: "ratio", bound: "at most", limit: 1.5 },
    })
  );
  const line = (step: keyof Times) => ({
    name: `${step} of ${batch}`,
    points: measured.map(({ size, times }) => ({ x: size, y: times[step] })),
  });
  const series = {
    id: "claim.by_queue_length",
    title: "Claim and settle against the length of the queue",
    x: "queued leads",
    y: "ms",
    lines: [line("claim"), line("settle")],
  };
  return { figures, series: [series] };
}

/** A claim that finds the log of a bulk insert, against one that has nothing to fold. */
async function afterBulk({ quick }: PartOptions): Promise<Figure[]> {
  const rows = quick ? 1_000 : 10_000;
  await using db = await testDatabase();
  const { sql } = db;
  const worker = await startWorker(sql, 3_600_000);
  await enqueue(sql, 0, 1_000);
  const usual = await takeBatches(sql, worker, 7);
  const folding: number[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    await sql`insert into public.leads (email)
      select 'f' || ${round}::int || '-' || i || '@example.test' from generate_series(1, ${rows}) i`;
    folding.push((await takeBatch(sql, worker)).claim);
    while ((await sql`select from mautic.lead_change limit 1`).count > 0) {
      await takeBatch(sql, worker);
    }
  }
  return [figure({
    id: "claim.folding",
    name: `claim of ${batch} after ${rows.toLocaleString("en")} inserts (folds 5,000 at most)`,
    unit: "ms",
    value: quantile(folding, 0.5),
    baseline: { name: "with nothing to fold", value: usual.claim },
  })];
}

/** An import that meets a session whose plans were made while there was nothing to do. */
async function sinceEmpty({ quick }: PartOptions): Promise<Figure[]> {
  const rows = quick ? 2_000 : 100_000;
  async function slowestClaim(isOld: boolean): Promise<number> {
    await using db = await testDatabase();
    const { sql } = db;
    const worker = await startWorker(sql, 3_600_000);
    const session = await sql.reserve();
    try {
      // As autovacuum finds the tables of a project where little happens.
      await sql`vacuum analyze public.leads, mautic.outbox, mautic.contact, mautic.contact_link`;
      for (let lead = 0; isOld && lead < 8; lead++) {
        await sql`insert into public.leads (email) values (${`old-${lead}@example.test`})`;
        const { items, lease_token } = await claim(session, worker);
        await settle(session, lease_token, confirmed(items));
      }
      await sql`insert into public.leads (email)
        select 'e' || i || '@example.test' from generate_series(1, ${rows}::int) i`;
      const times: number[] = [];
      for (let round = 0; round < 15; round++) {
        times.push((await takeBatch(session, worker)).claim);
      }
      return Math.max(...times);
    } finally {
      session.release();
    }
  }
  return [figure({
    id: "claim.since_empty",
    name: `slowest claim after ${
      rows.toLocaleString("en")
    } inserts, a session since an empty queue`,
    unit: "ms",
    value: await slowestClaim(true),
    baseline: { name: "a new session", value: await slowestClaim(false) },
  })];
}

/** Leads that are edited again and again while nothing vacuums what that leaves behind. */
async function afterWaste({ quick }: PartOptions): Promise<Figure[]> {
  const [leads, edits] = quick ? [1_000, 2] : [10_000, 20];
  await using db = await testDatabase();
  const { sql } = db;
  for (const table of ["outbox", "lead_change", "contact", "worker"]) {
    await sql`alter table mautic.${sql(table)} set (autovacuum_enabled = off)`;
  }
  const worker = await startWorker(sql, 3_600_000);
  await enqueue(sql, 0, leads);
  const looks = async () => {
    const times: number[] = [];
    for (let look = 0; look < 15; look++) {
      times.push((await timed(() => sql`select mautic.has_work()`))[0]);
    }
    return quantile(times, 0.5);
  };
  const fresh = { ...await takeBatches(sql, worker), look: await looks() };
  for (let edit = 0; edit < edits; edit++) {
    await sql`update public.leads set first_name = ${`edit ${edit}`}`;
    while ((await sql`select from mautic.lead_change limit 1`).count > 0) {
      await takeBatch(sql, worker);
    }
  }
  const wasted = { ...await takeBatches(sql, worker), look: await looks() };
  const after = `after ${(leads * edits).toLocaleString("en")} edits without a vacuum`;
  return [
    figure({
      id: "claim.wasted",
      name: `claim of ${batch} ${after}`,
      unit: "ms",
      value: wasted.claim,
      baseline: { name: "before them", value: fresh.claim },
    }),
    figure({
      id: "look.wasted",
      name: `a lingering worker's look ${after}`,
      unit: "ms",
      value: wasted.look,
      baseline: { name: "before them", value: fresh.look },
    }),
  ];
}

export const claimPart: Part = {
  name: "claim",
  about: "claim and settle as queue, change log and dead rows grow",
  run: async (options) => {
    const { figures, series = [] } = await byLength(options);
    return {
      figures: [
        ...figures,
        ...await afterBulk(options),
        ...await sinceEmpty(options),
        ...await afterWaste(options),
      ],
      series,
    };
  },
};
