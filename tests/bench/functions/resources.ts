/** Memory and CPU of mautic-sync, against what the platform allows: 256 MB, 2 s of CPU a request. */
import { z } from "zod";
import { type Stack, startStack } from "../../../local/stack.ts";
import { drained, holds } from "../../end_to_end/support.ts";
import { type Figure, figure, type Part } from "../measure.ts";
import { cpuSeconds, peakMemoryMb } from "./process_usage.ts";

const name = "mautic-sync";
const limits = { memoryMb: 256, cpuSeconds: 2 };
const atMost = (limit: number) => ({ of: "value", bound: "at most", limit } as const);

const drainedLine = z.object({
  message: z.literal("drained"),
  leads: z.number(),
  requests: z.number(),
  ended: z.string(),
});

/** A worker's last words, if that is what the line holds. */
function report(line: string) {
  if (!line.includes('"drained"')) return undefined;
  return drainedLine.safeParse(JSON.parse(line)).data;
}

async function insert(stack: Stack, count: number, enrolled: boolean): Promise<void> {
  const [status, score] = enrolled ? ["qualified", 90] : ["new", 10];
  await stack.sql`
    insert into public.leads
      (email, first_name, last_name, company, phone, crm_status, marketing_opt_in, ml_score, utm_source)
    select 'r' || i || '-' || gen_random_uuid() || '@example.test', 'First' || i, 'Last' || i,
      'Company', '+49 30 1234', ${status}, true, ${score}, 'bench'
    from generate_series(1, ${count}) i`;
}

function running(stack: Stack): number {
  const pid = stack.functionPid(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

/** Nothing to do, and nobody there: a worker that is killed would silence the bell until its lease ends. */
async function noWorker(stack: Stack): Promise<void> {
  await drained(stack);
  await holds(stack, async () => (await stack.sql`select from mautic.worker`).count === 0);
}

/** A process that has just started and has sent one lead. */
async function fresh(stack: Stack): Promise<number> {
  await noWorker(stack);
  await stack.killFunction(name);
  await insert(stack, 1, false);
  await stack.sql`select mautic.sweep()`;
  await drained(stack);
  return running(stack);
}

/** What a drain of so many leads takes, by as many workers as there are by default. */
async function drains(sizes: number[]): Promise<Figure[]> {
  await using stack = await startStack({ functionEnv: { MAUTIC_WORKER_LINGER_MS: "200" } });
  const figures: Figure[] = [];
  const idle = peakMemoryMb(await fresh(stack));
  let least: { name: string; value: number } | undefined;
  for (const size of sizes) {
    const pid = await fresh(stack);
    const before = cpuSeconds(pid);
    await insert(stack, size, false);
    await drained(stack);
    const named = `${size.toLocaleString("en")} leads`;
    const memory = {
      name: `${name}: most memory while it drains ${named} (the whole process)`,
      unit: "MB",
      value: peakMemoryMb(pid),
    } as const;
    figures.push(
      figure({
        ...memory,
        id: `memory.${size}_leads`,
        baseline: { name: "after one lead", value: idle },
        target: atMost(limits.memoryMb),
      }),
      figure({
        id: `cpu.${size}_leads`,
        name: `${name}: CPU for a drain of ${named}`,
        unit: "s of CPU per 1,000 leads",
        value: (cpuSeconds(pid) - before) / (size / 1_000),
      }),
    );
    if (least) {
      figures.push(figure({
        ...memory,
        id: `memory.${size}_leads_against_fewer`,
        baseline: least,
        target: { of: "ratio", bound: "at most", limit: 1.15 },
      }));
    } else least = { name: `while it drains ${named}`, value: memory.value };
  }
  return figures;
}

/**
 * What one invocation takes in a process of its own, start-up included, from the ring until its
 * budget is spent. `feed` keeps it busy until `ended` aborts.
 */
async function invocation(
  stack: Stack,
  id: string,
  doing: string,
  feed: (ended: AbortSignal) => Promise<void>,
): Promise<Figure> {
  await noWorker(stack);
  await stack.killFunction(name);
  const earlier = new Set(stack.functionLog(name));
  const ended = new AbortController();
  const feeding = feed(ended.signal);
  const spent = report(
    await stack.functionLogged(
      name,
      (line) => !earlier.has(line) && report(line)?.ended === "budget",
    ),
  );
  const cpu = cpuSeconds(running(stack));
  ended.abort();
  await feeding;
  return figure({
    id,
    name: `${name}: one invocation that ${doing} until its budget is spent ` +
      `(${spent?.leads} leads, ${spent?.requests} requests)`,
    unit: "s of CPU",
    value: cpu,
    target: atMost(limits.cpuSeconds),
  });
}

async function invocations(quick: boolean): Promise<Figure[]> {
  await using stack = await startStack({
    functionEnv: {
      // Nobody shares the process with the one that is measured.
      MAUTIC_MAX_WORKERS: "1",
      ...(quick ? { MAUTIC_WORKER_BUDGET_LEADS: "100", MAUTIC_WORKER_BUDGET_REQUESTS: "60" } : {}),
    },
  });
  const many = quick ? 120 : 2_200;
  const trickle = async (ended: AbortSignal) => {
    while (!ended.aborted) {
      await insert(stack, 1, false);
      await stack.sql`select pg_sleep(0.1)`;
    }
  };
  return [
    await invocation(stack, "cpu.import", "sends an import", () => insert(stack, many, false)),
    await invocation(
      stack,
      "cpu.enrolments",
      "enrols every lead",
      () => insert(stack, many / 4, true),
    ),
    await invocation(stack, "cpu.trickle", "sends ten single commits a second", trickle),
  ];
}

export const resourcesPart: Part = {
  name: "resources",
  about: "memory and CPU of mautic-sync, against the platform's limits",
  run: async ({ quick, note }) => {
    const figures = await drains(quick ? [100] : [1_000, 10_000]);
    note("drains");
    return { figures: [...figures, ...await invocations(quick)] };
  },
};
