import { z } from "zod";
import { consentComment, type DoNotContactEntry } from "shared/consent/entry.ts";
import { type MauticServer } from "../../local/mautic/server_types.ts";
import type { DoNotContactRow } from "../../local/mautic/types.ts";
import type { MauticCall } from "./network.ts";

/** What must never be seen on the wire, watched while it happens. */
export interface Observer {
  onArrival(call: MauticCall): void;
  onAnswer(call: MauticCall, status: number, body: string): void;
  violations: string[];
  /** Things that Mautic's API leaves open and the design says so: counted, not forbidden. */
  races: string[];
  /** Contacts with which a race was lost. */
  raced: Set<number>;
  /** Contact id → when a campaign add for it began. */
  enrollments: { contactId: number; email: string; at: number }[];
}

const contactShape = z.object({
  id: z.number(),
  doNotContact: z.array(z.object({
    channel: z.string(),
    reason: z.number(),
    comments: z.string().nullable(),
  })),
});
const answerShape = z.object({
  contact: z.unknown().optional(),
  contacts: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional(),
});

/**
 * Watches requests to Mautic as they arrive and answers as they are heard. `lastKnown` is what a
 * process has been told about a contact's do-not-contact entries: what it does against its own
 * knowledge is a fault; what it could not know is a race.
 */
export function createObserver(
  mautic: MauticServer,
  now: () => number,
  /** Is a caller's add_to_campaign for this contact under way? */
  isAsked: (contactId: number) => boolean,
  /** How far ahead Mautic's clock is. */
  skewMs: number,
): Observer {
  const violations: string[] = [];
  const races: string[] = [];
  /** When a process last looked at a contact. */
  const lastKnown = new Map<string, number>();
  /** By which request it did for the same change: the process may look for others meanwhile. */
  const lastRead = new Map<string, string>();
  const raced = new Set<number>();
  const enrollments: Observer["enrollments"] = [];

  function entriesOf(contactId: number): DoNotContactRow[] {
    return (mautic.contacts.get(contactId)?.doNotContact ?? [])
      .filter((entry) => entry.channel === "email" && entry.reason !== 0);
  }

  function isOurs(entry: DoNotContactEntry): boolean {
    return entry.reason === 3 && entry.comments === consentComment;
  }

  function judge(
    call: MauticCall,
    contactId: number,
    what: string,
    forbidden: DoNotContactRow[],
  ) {
    if (forbidden.length === 0) return;
    const known = lastKnown.get(`${call.process} ${contactId}`);
    // A race is only what came after the last time it looked.
    const isKnown = known === undefined ||
      forbidden.some((each) => each.dateAdded - skewMs < known);
    if (!isKnown) raced.add(contactId);
    const reasons = forbidden.map((entry) => entry.reason).join(",");
    const line = `at ${now()} ${call.process} ${what} contact ${contactId} with entries ${reasons}`;
    (isKnown ? violations : races).push(isKnown ? `${line}, which it knew of` : line);
  }

  return {
    violations,
    races,
    raced,
    enrollments,
    onArrival(call) {
      const added = /^\/api\/campaigns\/(\d+)\/contact\/(\d+)\/add$/.exec(call.path);
      if (added) {
        const contactId = Number(added[2]);
        const email = String(mautic.contacts.get(contactId)?.values.get("email") ?? "");
        enrollments.push({ contactId, email, at: now() });
        // A caller's request has read the contact itself; what another request of the same process
        // was told since, it cannot know.
        if (isAsked(contactId)) races.push(`add_to_campaign ${contactId} at ${now()}`);
        else judge(call, contactId, "enrols", entriesOf(contactId));
      }
      if (/^\/api\/contacts\/(batch\/)?new$/.test(call.path)) {
        // There the flag blanks what is NOT sent, of a contact that somebody else filled.
        if (JSON.stringify(call.body).includes("overwriteWithBlank")) {
          violations.push(`at ${now()} ${call.process} creates with overwriteWithBlank`);
        }
      }
      const changed = /^\/api\/contacts\/(\d+)\/dnc\/email\/(add|remove)$/.exec(call.path);
      if (changed) {
        const contactId = Number(changed[1]);
        const what = changed[2] === "add" ? "replaces an entry of" : "lifts an entry of";
        const entries = entriesOf(contactId).filter((entry) => !isOurs(entry));
        judge(call, contactId, what, changed[2] === "add" && isRestoring(call) ? [] : entries);
        if (changed[2] === "remove") {
          const read = lastRead.get(`${byWhom(call)} ${contactId}`);
          if (read !== `GET /api/contacts/${contactId}`) {
            violations.push(
              `at ${now()} ${call.process} lifts ${contactId} without reading it right before (${read})`,
            );
          }
        }
      }
      if (call.path === "/api/contacts/batch/edit" && Array.isArray(call.body)) {
        for (const item of call.body) {
          const parsed = z.object({ id: z.number(), doNotContact: z.array(z.unknown()) })
            .safeParse(item);
          if (!parsed.success) continue;
          const { id } = parsed.data;
          judge(call, id, "replaces an entry of", entriesOf(id).filter((entry) => !isOurs(entry)));
        }
      }
    },
    onAnswer(call, status, body) {
      if (status >= 300 || !call.path.startsWith("/api/contacts")) return;
      let json: unknown;
      try {
        json = JSON.parse(body);
      } catch {
        return;
      }
      const parsed = answerShape.safeParse(json);
      if (!parsed.success) return;
      const { contact, contacts } = parsed.data;
      for (const each of [contact, ...Object.values(contacts ?? {})]) {
        const read = contactShape.safeParse(each);
        if (!read.success) continue;
        lastKnown.set(`${call.process} ${read.data.id}`, call.arrivedAt);
        lastRead.set(`${byWhom(call)} ${read.data.id}`, `${call.request.method} ${call.path}`);
      }
    },
  };
}

/** The process, and the change that it works on. */
function byWhom({ process, request }: MauticCall): string {
  return `${process} ${request.headers.get("x-correlation-id")}`;
}

/** Putting an opt-out back is no harm, whatever stands there. */
function isRestoring(call: MauticCall): boolean {
  const body = z.object({ reason: z.number() }).safeParse(call.body);
  return body.success && body.data.reason !== 3;
}
