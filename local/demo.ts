/** `deno task demo`: the main job on the embedded stack, told with times. */
import { z } from "zod";
import { common, program, readOptions } from "../cli/options.ts";
import { printResult } from "../cli/print.ts";
import type { RequestEntry } from "./mautic/journal.ts";
import { watchForEnding } from "./process/ending.ts";
import { type Stack, startStack } from "./stack.ts";

const { json } = readOptions(
  program("demo").addOption(common.json()),
  Deno.args,
  z.object({ json: z.boolean().default(false) }),
);
const ending = watchForEnding(Deno.env.toObject());
const begun = performance.now();

/** What `--json` prints at the end. */
const told: { title: string; lines: { seconds: number; text: string }[] }[] = [];

/** Prints one line with the seconds since the start. */
function tell(text: string): void {
  const seconds = ((performance.now() - begun) / 1000).toFixed(2);
  told.at(-1)?.lines.push({ seconds: Number(seconds), text });
  if (!json) printResult(`${seconds.padStart(6)} s  ${text}`);
}

function chapter(title: string): void {
  told.push({ title, lines: [] });
  if (!json) printResult(`\n${title}`);
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const from = performance.now();
  const result = await work();
  return [result, Math.round(performance.now() - from)];
}

interface Synced {
  leadId: string;
  contactId: number;
  action: string;
  enrollment: string;
}

/** What mautic-sync logged of a lead. */
function syncedLine(stack: Stack, leadId: string): Synced | undefined {
  for (const line of stack.functionLog("mautic-sync")) {
    if (!line.includes(leadId) || !line.includes('"lead_synced"')) continue;
    const values: Synced = JSON.parse(line);
    if (values.leadId === leadId) return values;
  }
}

/** Inserts a lead and waits until the outbox has no row of it left. */
async function insertAndWait(stack: Stack, lead: Record<string, string | number | boolean>) {
  const [row] = await stack.sql<{ id: string }[]>`
    insert into public.leads ${stack.sql(lead)} returning id`;
  const id = row?.id ?? "";
  await settled(stack, id);
  return id;
}

async function settled(stack: Stack, id: string): Promise<void> {
  await stack.mautic.waitFor(() => true);
  while (true) {
    const [row] = await stack.sql<{ open: boolean }[]>`
      select exists (select from mautic.logged_lead where lead_id = ${id})
        or exists (select from mautic.outbox where lead_id = ${id}) as open`;
    if (!row?.open) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function threeLeads(stack: Stack): Promise<string> {
  chapter("Three leads are inserted, one after another");
  const kinds: [string, Record<string, string | number | boolean>][] = [
    ["high-value, consenting", {
      email: "vera@example.test",
      first_name: "Vera",
      ml_score: 92,
      crm_status: "qualified",
      marketing_opt_in: true,
      utm_source: "google",
    }],
    ["low score", {
      email: "lou@example.test",
      first_name: "Lou",
      ml_score: 12,
      crm_status: "qualified",
      marketing_opt_in: true,
    }],
    ["high-value, no consent", {
      email: "nora@example.test",
      first_name: "Nora",
      ml_score: 88,
      crm_status: "converted",
      marketing_opt_in: false,
    }],
  ];
  let first = "";
  for (const [kind, lead] of kinds) {
    const [id, ms] = await timed(() => insertAndWait(stack, lead));
    first ||= id;
    const synced = syncedLine(stack, id);
    tell(
      `${kind}: contact ${synced?.contactId} ${synced?.action} after ${ms} ms; enrolment: ${synced?.enrollment}`,
    );
  }
  const members = stack.mautic.campaignMembers(stack.mautic.campaignId);
  tell(`members of campaign ${stack.mautic.campaignId} in Mautic: ${members.length}`);
  return first;
}

async function edit(stack: Stack, id: string): Promise<void> {
  chapter("An edit travels as a delta");
  const from = stack.mautic.requests.length;
  await stack.sql`update public.leads set phone = '+1 555 0100' where id = ${id}`;
  await settled(stack, id);
  for (const request of writesSince(stack, from)) {
    tell(`${request.method} ${request.path} ${JSON.stringify(request.body)}`);
  }
}

async function outage(stack: Stack): Promise<void> {
  chapter("Mautic is down");
  await stack.mautic.setDown(true);
  const [row] = await stack.sql<{ id: string }[]>`
    insert into public.leads (email, first_name) values ('otto@example.test', 'Otto') returning id`;
  const id = row?.id ?? "";
  tell("a lead is inserted; Mautic refuses the connection");
  let waiting: { attempts: number; error_code: string | null } | undefined;
  while (waiting === undefined) {
    [waiting] = await stack.sql<{ attempts: number; error_code: string | null }[]>`
      select attempts, error_code from mautic.outbox where lead_id = ${id} and state = 'waiting'`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  tell(
    `after ${waiting.attempts} attempt with three retries it waits in the outbox: ${waiting.error_code}`,
  );
  await stack.mautic.setDown(false);
  tell("Mautic is back");
  const [, ms] = await timed(() => settled(stack, id));
  tell(
    `contact ${
      stack.mautic.contactByEmail("otto@example.test")?.id
    } is there, ${ms} ms later, by the sweep`,
  );
}

async function bulk(stack: Stack): Promise<void> {
  const count = 1_000;
  chapter(`${count} leads are imported in one statement`);
  const from = stack.mautic.requests.length;
  const known = stack.mautic.contacts.size;
  const [, ms] = await timed(async () => {
    const all = stack.mautic.waitFor(() => stack.mautic.contacts.size >= known + count);
    await stack.sql`
      insert into public.leads (email, first_name, utm_source)
      select 'bulk' || i || '@example.test', 'Bulk ' || i, 'import' from generate_series(1, ${count}) i`;
    tell("committed");
    await all;
  });
  const requests = stack.mautic.requests.length - from;
  tell(
    `all in Mautic after ${ms} ms: ${
      Math.round(count / ms * 1000)
    } leads a second, ${requests} HTTP requests (${requests / count} a lead)`,
  );
  tell(`addresses that more than one contact has: ${stack.mautic.duplicateEmails().length}`);
}

async function inbound(stack: Stack): Promise<void> {
  chapter("People act in Mautic's mails");
  const { mautic } = stack;
  const acts: [string, string, () => Promise<void>][] = [
    ["vera", "unsubscribes", () => mautic.unsubscribe("vera@example.test")],
    ["lou", "bounces", () => mautic.bounce("lou@example.test", "Unknown user or server")],
    ["otto", "complains of spam", () => mautic.complain("otto@example.test")],
    ["vera", "subscribes again", async () => {
      // Mautic's times are whole seconds: within one the stricter event would win.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await mautic.resubscribe("vera@example.test");
    }],
  ];
  for (const [name, act, happen] of acts) {
    // Mautic calls the webhook in the middle of it, so the row is right when it returns.
    const [, ms] = await timed(happen);
    const [lead] = await stack.sql<{ email_status: string; activities: number }[]>`
      select l.email_status, (
        select count(*)::int from public.lead_activity a where a.lead_id = l.id::text
      ) as activities
      from public.leads l where l.email = ${`${name}@example.test`}`;
    tell(
      `${name} ${act}: email_status = ${lead?.email_status}, ${lead?.activities} activity rows (${ms} ms)`,
    );
  }
}

function writesSince(stack: Stack, from: number): RequestEntry[] {
  return stack.mautic.requests.slice(from).filter((request) => request.method !== "GET");
}

async function tellAll(stack: Stack): Promise<void> {
  chapter("The stack");
  tell("it is up: Postgres 17, the Data API, two edge functions, an emulated Mautic");
  const vera = await threeLeads(stack);
  await edit(stack, vera);
  await outage(stack);
  await bulk(stack);
  await inbound(stack);
}

try {
  await using stack = await startStack({
    functionEnv: {
      MAUTIC_ENROLLMENT_ENABLED: "true",
      MAUTIC_HIGH_VALUE_THRESHOLD: "70",
      MAUTIC_ELIGIBLE_STAGES: "qualified,converted",
    },
  });
  if (!ending.hasBegun()) await Promise.race([tellAll(stack), ending.promise]);
} catch (error) {
  // What was being started when it had to end may fail of that.
  if (!ending.hasBegun()) throw error;
}
// What was being told when it had to end finds its stack gone; nobody waits for it.
if (ending.hasBegun()) Deno.exit(130);
if (json) printResult(JSON.stringify({ chapters: told }));
else chapter("That was it. Everything that was started is gone with this line.");
// The watch for signals would go on.
Deno.exit();
