import { z } from "zod";
import type { MauticServer } from "../../local/mautic/server_types.ts";
import { emailEntries, isOurs } from "shared/consent/entry.ts";
import { parseLead } from "shared/lead/lead.ts";
import { type LeadPayload, leadPayloadSchema } from "shared/lead/payload.ts";
import { callerLead, leadPayload, payloadOfCaller } from "../support/payload.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { Platform } from "./platform.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { createWriter, leadIds, values } from "./writers.ts";

/** What a caller sent with upsert_contact, and when it was under way. */
export interface DirectCall {
  /** As the database maps it. */
  payload: LeadPayload;
  address: string;
  leadId: string;
  startedAt: number;
  /** Infinity: nobody heard the answer. */
  endedAt: number;
}

/** What the history did that the invariants have to know. */
export interface Deeds {
  direct: DirectCall[];
  /** Contact id → when a person merged or deleted it. */
  removed: Map<number, number>;
  /** Which contact was merged into which, and when. */
  merges: { loser: number; winner: number; at: number }[];
  /** Addresses that a person gave to a second contact in Mautic, or of contacts that were merged. */
  doubled: Set<string>;
  /** Contacts whose person opted out and has not come back, where Mautic holds an entry of that: since when. */
  optedOut: Map<number, number>;
  /** When somebody came back. */
  resubscribed: { contactId: number; at: number }[];
  /** When add_to_campaign was called, by contact, and when it was answered (Infinity: never). */
  campaignCalls: { contactId: number; at: number; endedAt: number }[];
  /** Whom an operator erased, and when that was told to the database. */
  erasures: { address: string; at: number }[];
}

/** Did somebody ask by then for this contact to be added to the campaign, by an id it has or had? */
export function isAskedFor(
  { campaignCalls, merges }: Deeds,
  contactId: number,
  until: number,
): boolean {
  const ids = [
    contactId,
    ...merges.filter(({ winner }) => winner === contactId).map(({ loser }) => loser),
  ];
  return campaignCalls.some((call) => ids.includes(call.contactId) && call.at <= until);
}

const payloadRow = z.object({ payload: leadPayloadSchema, address: z.string() });

export interface History {
  deeds: Deeds;
  /** The person behind a contact does something in Mautic. */
  act(contactId: number): void;
}

/** Schedules `steps` random events over `durationMs`. */
export function scheduleHistory(
  { scheduler, random, database, mautic, platform, note, steps, durationMs, people, hasSignups }: {
    scheduler: Scheduler;
    random: Random;
    database: SimulatedDatabase;
    mautic: MauticServer;
    platform: Platform;
    note(line: string): void;
    steps: number;
    durationMs: number;
    people: number;
    hasSignups: boolean;
  },
): History {
  const writer = createWriter({ random, people, now: scheduler.now, note });
  const deeds: Deeds = {
    direct: [],
    removed: new Map(),
    merges: [],
    doubled: new Set(),
    optedOut: new Map(),
    resubscribed: [],
    campaignCalls: [],
    erasures: [],
  };
  let calls = 0;
  /** Rows that an open transaction holds: another writer would wait for it for ever. */
  const held = new Set<string>();

  async function some(most: number): Promise<string[]> {
    const free = (await leadIds(database)).filter((id) => !held.has(id));
    if (free.length === 0) return [];
    return [...new Set(Array.from({ length: random.between(1, most) }, () => random.pick(free)))];
  }

  /** What the application or an operator does: nothing while Postgres is away. */
  async function write(work: (sql: Parameters<typeof writer.insert>[0]) => Promise<unknown>) {
    if (database.isDown()) return;
    try {
      await database.step(work);
    } catch (error) {
      // A row that an open transaction holds, as a lock_timeout of the application's own; or a person
      // that a worker holds, whom nobody erases meanwhile.
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "55P03" && code !== "55006") throw error;
      note(`gave up: ${code}`);
    }
    await platform.ring();
  }

  async function longTransaction(): Promise<void> {
    const level = random.pick(["read committed", "read committed", "repeatable read"]);
    let isKept = random.chance(0.7);
    if (database.isDown()) return;
    const ids = await some(2);
    for (const id of ids) held.add(id);
    note(`begin ${level}, will ${isKept ? "commit" : "roll back"}`);
    const transaction = await database.begin(level);
    const parts = random.between(1, 3);
    const part = async (left: number) => {
      if (left > 0 && !transaction.isCut) {
        const isDone = await database.step(async () => {
          try {
            if (random.chance(0.5)) await writer.insert(transaction.sql, random.between(1, 3));
            else await writer.update(transaction.sql, ids);
            return true;
          } catch (error) {
            // A webhook wrote email_status since this REPEATABLE READ transaction began.
            if (!(error instanceof Error && "code" in error && error.code === "40001")) throw error;
            return false;
          }
        });
        if (isDone) {
          scheduler.after(random.between(10, 20_000), () => part(left - 1));
          return;
        }
        note("could not serialize");
        isKept = false;
      }
      note(transaction.isCut ? "rolled back by a restart" : isKept ? "commit" : "rollback");
      await transaction.end(isKept ? "commit" : "rollback");
      for (const id of ids) held.delete(id);
      await platform.ring();
    };
    scheduler.after(random.between(1, 500), () => part(parts));
  }

  async function direct(): Promise<void> {
    const [id] = await some(1);
    const rows = id && random.chance(0.7)
      ? await database.step((sql) =>
        sql`select payload, address from mautic.read_leads(array[${id}])`
      )
      : [];
    const [row] = z.array(payloadRow).safeParse([...rows]).data ?? [];
    const own = values(random, people, true);
    const payload = row === undefined
      ? {
        id: random.uuid(),
        crm_status: own["crm_status"],
        consent: { marketing_opt_in: own["marketing_opt_in"] },
        ml: { score: own["ml_score"] },
        contact: { email: own["email"], first_name: own["first_name"], phone: own["phone"] },
      }
      : callerLead(row.payload);
    const parsed = parseLead(payload);
    const call: DirectCall = {
      // Where it is refused nothing of it gets anywhere.
      payload: parsed.ok ? payloadOfCaller(parsed.lead) : leadPayload(payload.id, { email: null }),
      address: row?.address ?? String(own["email"]).trim().toLowerCase(),
      leadId: payload.id,
      startedAt: scheduler.now(),
      endedAt: Infinity,
    };
    deeds.direct.push(call);
    note(`upsert_contact ${JSON.stringify(payload)}`);
    platform.call({ action: "upsert_contact", payload }, `call-${++calls}`).then(({ status }) => {
      call.endedAt = scheduler.now();
      note(`upsert_contact ${call.leadId} answered ${status}`);
    });
  }

  function someContact(): [number, string] | undefined {
    const known = [...mautic.contacts.values()];
    if (known.length === 0) return undefined;
    const contact = random.pick(known);
    return [contact.id, String(contact.values.get("email") ?? "")];
  }

  /** Not waited for: Mautic delivers webhooks meanwhile, which are events of their own. */
  function inMautic(act: Promise<void>): void {
    act.catch((error) => note(`in Mautic: ${error}`));
  }

  function act(contactId: number): void {
    const contact = mautic.contacts.get(contactId);
    if (!contact) return;
    const email = String(contact.values.get("email") ?? "");
    const deed = random.pick(
      ["unsubscribe", "bounce", "complain", "resubscribe", "staff"] as const,
    );
    note(`person ${deed} contact ${contactId}`);
    const done = deed === "staff"
      ? mautic.addDoNotContact(email, { reason: 3, comments: "by phone" })
      : mautic[deed](email);
    inMautic(done);
    const whom = mautic.contactByEmail(email);
    if (!whom) return;
    if (deed === "resubscribe") {
      deeds.resubscribed.push({ contactId: whom.id, at: scheduler.now() });
      deeds.optedOut.delete(whom.id);
      // Where our own entry stands Mautic keeps that, and nothing tells of the opt-out.
    } else if (emailEntries(whom.doNotContact).some((each) => !isOurs(each))) {
      deeds.optedOut.set(whom.id, scheduler.now());
    }
  }

  function person(): void {
    const found = someContact();
    if (found) act(found[0]);
  }

  async function addToCampaign(): Promise<void> {
    const found = someContact();
    if (!found) return;
    const call = { contactId: found[0], at: scheduler.now(), endedAt: Infinity };
    deeds.campaignCalls.push(call);
    const request = { mauticContactId: String(found[0]), campaignId: String(mautic.campaignId) };
    note(`add_to_campaign ${found[0]}`);
    const id = `call-${++calls}`;
    platform.call({ action: "add_to_campaign", ...request }, id).then(({ status }) => {
      call.endedAt = scheduler.now();
      note(`add_to_campaign ${found[0]} answered ${status}`);
    });
    await platform.ring();
  }

  async function restart(): Promise<void> {
    const isCrash = random.chance(0.5);
    const ms = random.between(50, 20_000);
    note(`Postgres ${isCrash ? "crashes" : "is restarted"}, away for ${ms} ms`);
    await database.restart(ms, isCrash);
  }

  function staff(): void {
    const found = someContact();
    const other = someContact();
    if (!found || !other) return;
    deeds.removed.set(found[0], scheduler.now());
    deeds.doubled.add(found[1]);
    if (found[0] !== other[0] && random.chance(0.5)) {
      note(`merge contact ${found[0]} into ${other[0]}`);
      deeds.merges.push({ loser: found[0], winner: other[0], at: scheduler.now() });
      deeds.removed.set(other[0], scheduler.now());
      deeds.doubled.add(other[1]);
      return inMautic(mautic.mergeContacts(found[0], other[0]));
    }
    note(`delete contact ${found[0]}`);
    inMautic(mautic.deleteContact(found[0]));
  }

  async function operator(): Promise<void> {
    const kind = random.next();
    if (kind < 0.15) {
      note("replay everything");
      return await write((sql) => sql`select mautic.replay_where(everything => true)`);
    }
    if (kind < 0.3) {
      note("replay the dead, by force");
      return await write((sql) =>
        sql`select mautic.replay_where(dead_reason => 'any', force => true)`
      );
    }
    if (kind < 0.5) {
      note("replay a webhook");
      return await write((sql) =>
        sql`select mautic.replay_webhook(d.id) from (
          select id from mautic.webhook_delivery order by id limit 1 offset ${
          random.between(0, 5)
        }) d`
      );
    }
    const [id] = await some(1);
    const isForced = random.chance(0.4);
    note(`replay ${id ?? "nobody"}${isForced ? " by force" : ""}`);
    if (id) await write((sql) => sql`select mautic.replay(${id}, ${isForced})`);
  }

  async function pause(): Promise<void> {
    note("pause");
    await write((sql) => sql`select mautic.pause('simulated')`);
    scheduler.after(random.between(1_000, 90_000), async () => {
      note("resume");
      await write((sql) => sql`select mautic.resume()`);
    });
  }

  async function erase(): Promise<void> {
    const address = `p${random.between(1, people)}@example.test`;
    note(`erase ${address}`);
    await write(async (sql) => {
      await sql`select mautic.erase(${address}, delete_leads => true)`;
      deeds.erasures.push({ address, at: scheduler.now() });
    });
  }

  function outage(): void {
    const ms = random.between(60_000, 40 * 60_000);
    note(`Mautic is away for ${ms} ms`);
    mautic.setDown(true);
    scheduler.after(ms, () => mautic.setDown(false));
  }

  function token(): void {
    if (random.chance(0.5)) {
      note("tokens revoked");
      return mautic.revokeTokens();
    }
    const seconds = random.pick([30, 90, 600, 3_600]);
    note(`tokens live ${seconds} s from now on`);
    mautic.setTokenLifetime(seconds);
  }

  const deedsOfAll: [number, () => void | Promise<void>][] = [
    [20, () => write((sql) => writer.insert(sql, random.between(1, 3)))],
    [4, () => write((sql) => writer.insert(sql, random.between(8, 30)))],
    [0.4, () => write((sql) => writer.insert(sql, random.between(110, 220)))],
    [30, async () => {
      const ids = await some(4);
      await write((sql) => writer.update(sql, ids));
    }],
    [6, async () => {
      const ids = await some(2);
      await write((sql) => writer.remove(sql, ids));
    }],
    [3, async () => {
      const [id] = await some(1);
      if (id) await write((sql) => writer.reinsert(sql, id));
    }],
    // It would wait for an open transaction for ever.
    [0.3, () => held.size === 0 ? write((sql) => writer.truncate(sql)) : undefined],
    [7, longTransaction],
    [8, direct],
    [14, person],
    [4, staff],
    [5, operator],
    [1, pause],
    [1.5, erase],
    [0.4, outage],
    [2, addToCampaign],
    [2, restart],
    [3, token],
    [5, () => platform.killOne()],
    [3, () => platform.freezeOne()],
    ...(hasSignups ? [[12, () => write(writer.signup)] as [number, () => Promise<void>]] : []),
  ];
  const weight = deedsOfAll.reduce((sum, [each]) => sum + each, 0);
  for (let step = 0; step < steps; step++) {
    scheduler.after(random.between(0, durationMs), async () => {
      let left = random.next() * weight;
      for (const [each, deed] of deedsOfAll) {
        left -= each;
        if (left < 0) return await deed();
      }
    });
  }
  return { deeds, act };
}
