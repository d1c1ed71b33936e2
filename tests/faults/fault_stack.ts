/** The whole stack with real processes, its waits made short, and a line where networks can fail. */
import { until } from "../../local/process/daemon.ts";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import { type Line, openLine } from "./line.ts";
import { countTraffic, type Traffic } from "./moments.ts";

/** Leases and graces of minutes made short, so that what they are for is seen within a test. */
export const hasty = {
  MAUTIC_BATCH_SIZE: "20",
  MAUTIC_REQUEST_TIMEOUT_MS: "1000",
  MAUTIC_SERVER_TIME_LIMIT_MS: "700",
  MAUTIC_RETRY_DELAY_MS: "50",
  MAUTIC_WORKER_LEASE_MS: "500",
  MAUTIC_WORKER_LINGER_MS: "200",
};

export interface FaultStack extends AsyncDisposable {
  stack: Stack;
  /** From the functions to Mautic. */
  mauticLine: Line;
  /** From the functions to the Data API. */
  dataLine: Line;
  /** From Mautic to the webhook. */
  webhookLine: Line;
  /** What passes over all three. */
  traffic: Traffic;
  /** Resolves once neither the change log nor the outbox holds anything but dead letters. */
  drained(): Promise<void>;
  /** Resolves once no worker has a lease: the next change rings. */
  withoutWorker(): Promise<void>;
  /** Resolves once `condition` holds; a database that is away just now is no reason to end. */
  holds(what: string, condition: () => Promise<boolean>): Promise<void>;
}

/** Longer than anything here takes; a test that hangs says what it waited for. */
const patienceMs = 60_000;

/** Starts the stack; the sweep, the guarantee behind the bell, comes every second. */
export async function startFaultStack(options: StackOptions = {}): Promise<FaultStack> {
  const cleanup = new AsyncDisposableStack();
  const traffic = countTraffic();
  const openOne = async () => cleanup.use(await openLine(traffic.note));
  try {
    const [mauticLine, dataLine, webhookLine] = [
      await openOne(),
      await openOne(),
      await openOne(),
    ];
    const stack = await startStack({
      ...options,
      mautic: {
        // Adding somebody once more starts the flow again, and shows.
        campaigns: [{ name: "High value leads", allowRestart: true }],
        ...options.mautic,
      },
      functionEnv: {
        ...hasty,
        MAUTIC_BASE_URL: mauticLine.url,
        SUPABASE_URL: dataLine.url,
        ...options.functionEnv,
      },
    });
    // Disposed before the lines: what a function still says finds them open.
    cleanup.use(stack);
    mauticLine.leadTo(stack.ready.mauticUrl);
    dataLine.leadTo(stack.ready.apiUrl);
    webhookLine.leadTo(stack.ready.apiUrl);
    for (const hook of stack.mautic.hooks.values()) {
      hook.webhookUrl = hook.webhookUrl.replace(stack.ready.apiUrl, webhookLine.url);
      // Edited once after saving, as README says: failed deliveries do not switch it off.
      hook.dateModified = Date.now();
    }
    await stack.sql`select cron.schedule('mautic-sweep', '1 second', 'select mautic.sweep()')`;
    await stack.sql`select mautic.set('circuit_longest_pause_seconds', '1')`;

    const holds = async (what: string, condition: () => Promise<boolean>) => {
      const asked = () => condition().catch(() => false);
      await until(asked, patienceMs, () => describe(stack, what));
    };
    return {
      stack,
      mauticLine,
      dataLine,
      webhookLine,
      traffic,
      holds,
      withoutWorker: () => holds("the workers to go", () => hasNoWorker(stack)),
      drained: () => holds("the outbox to drain", () => isDrained(stack)),
      [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
    };
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

async function isDrained({ sql }: Stack): Promise<boolean> {
  const [row] = await sql<{ open: boolean }[]>`
    select exists (select from mautic.lead_change)
      or exists (select from mautic.outbox where state <> 'dead') as open`;
  return row?.open === false;
}

async function hasNoWorker({ sql }: Stack): Promise<boolean> {
  const [row] = await sql<{ any: boolean }[]>`
    select exists (select from mautic.worker where lease_expires_at > mautic.clock()) as any`;
  return row?.any === false;
}

async function describe({ sql, functionLog }: Stack, what: string): Promise<string> {
  const states = await sql`
    select o.state, o.error_code, o.ambiguous, count(*)::int, min(o.not_before - mautic.clock())::text as due_in
    from mautic.outbox o group by 1, 2, 3`;
  const sending = await sql`select * from mautic.sending`;
  const log = functionLog("mautic-sync").slice(-30).join("\n");
  return `Waited in vain for ${what}. Outbox: ${JSON.stringify([...states])}; sending: ${
    JSON.stringify([...sending])
  }; mautic-sync said last:\n${log}`;
}
