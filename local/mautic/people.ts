/** What people do in Mautic and its mails, outside the API. */
import { contactEvent, touch } from "./contact_events.ts";
import {
  addEntry,
  BOUNCED,
  channelEvent,
  type NewEntry,
  removeEntry,
  UNSUBSCRIBED,
} from "./do_not_contact.ts";
import { emit, type HookEvent } from "./hook_delivery.ts";
import type { Mautic } from "./mautic.ts";
import { contactsByEmail, findContact, removeContact } from "./state.ts";
import type { Author, Contact } from "./types.ts";

export interface People {
  /** The link in a mail; changes nothing where an entry exists (recorded). */
  unsubscribe(email: string, emailId?: number): Promise<void>;
  /** The monitored mailbox or a transport callback found the address dead. */
  bounce(email: string, comments?: string, emailId?: number): Promise<void>;
  /** A feedback loop: reason 1 with a comment that says spam. */
  complain(email: string, comments?: string): Promise<void>;
  /** The page behind a mail's link: the entry goes, whatever its reason. */
  resubscribe(email: string): Promise<void>;
  /** Any other entry, as staff sets one. */
  addDoNotContact(email: string, entry: Partial<NewEntry> & { reason: number }): Promise<void>;
  /**
   * The winner keeps its id, the loser's do-not-contact rows are lost. A person's merge tells of the
   * winner too; `mautic:contacts:deduplicate` tells only of the loser's deletion.
   */
  mergeContacts(loser: number, winner: number, by?: "person" | "command"): Promise<void>;
  deleteContact(id: number): Promise<void>;
  contactByEmail(email: string): Contact | null;
}

/** Tracking, links and cron leave a space as their name (recorded). */
const NOBODY: Author = { id: null, name: " " };

/** The same for someone who follows a link of a mail, which also counts as activity. */
const VISITOR: Author = { id: null, name: " " };

/** @throws Error when no contact has the address or id. */
export function createPeople(mautic: Mautic, poke: () => void): People {
  const { state } = mautic;
  const person: Author = { id: 1, name: "Ad Min" };

  function mustFind(email: string): Contact {
    const [contact] = contactsByEmail(state, email);
    if (!contact) throw new Error(`No contact in the emulator has the address ${email}.`);
    return contact;
  }

  function mustGet(id: number): Contact {
    const contact = findContact(state, id);
    if (!contact) throw new Error(`No contact in the emulator has the id ${id}.`);
    return contact;
  }

  async function tell(author: Author, events: HookEvent[]): Promise<void> {
    await emit(mautic, author, events);
    poke();
  }

  async function change(email: string, author: Author, entry: NewEntry | null): Promise<void> {
    const contact = mustFind(email);
    const changed = entry ? addEntry(mautic, contact, entry) : removeEntry(contact, "email");
    if (!changed) return;
    if (author === VISITOR) contact.lastActive = mautic.clock.now();
    touch(mautic, contact, author);
    await tell(author, [
      channelEvent(mautic, contact, entry?.channel ?? "email", changed),
      contactEvent(mautic, contact, "mautic.lead_post_save_update", {}),
    ]);
  }

  const mail = (reason: number, comments: string, channelId: number | null): NewEntry => ({
    channel: "email",
    reason,
    comments,
    channelId,
  });

  return {
    unsubscribe: (email, emailId = 1) =>
      change(email, VISITOR, mail(UNSUBSCRIBED, "User unsubscribed.", emailId)),
    bounce: (email, comments = "Unknown user or server", emailId = 1) =>
      change(email, NOBODY, mail(BOUNCED, comments, emailId)),
    complain: (email, comments = "Marked as spam") =>
      change(email, NOBODY, mail(UNSUBSCRIBED, comments, 1)),
    resubscribe: (email) => change(email, VISITOR, null),
    addDoNotContact: (email, entry) =>
      change(email, person, { channel: "email", comments: "", channelId: null, ...entry }),
    async mergeContacts(loserId, winnerId, by = "person") {
      const loser = mustGet(loserId);
      const winner = mustGet(winnerId);
      if (loser === winner) throw new Error("A contact cannot be merged into itself.");
      removeContact(state, loser);
      state.merged.set(loser.id, winner.id);
      winner.points += loser.points;
      for (const [alias, value] of loser.values) {
        if (!winner.values.has(alias)) winner.values.set(alias, value);
      }
      winner.tags.push(...loser.tags.filter((tag) => !winner.tags.includes(tag)));
      winner.utmTags.push(...loser.utmTags);
      if (by === "command") {
        winner.modifiedBy = NOBODY;
        return await tell(NOBODY, [deletion(mautic, loser)]);
      }
      touch(mautic, winner, person);
      await tell(person, [
        contactEvent(mautic, winner, "mautic.lead_post_save_update", {}),
        deletion(mautic, loser),
      ]);
    },
    async deleteContact(id) {
      const contact = mustGet(id);
      removeContact(state, contact);
      await tell(person, [deletion(mautic, contact)]);
    },
    contactByEmail: (email) => contactsByEmail(state, email)[0] ?? null,
  };
}

function deletion(mautic: Mautic, contact: Contact): HookEvent {
  return contactEvent(mautic, contact, "mautic.lead_post_delete", {
    before: { id: contact.id },
    view: { deleted: true },
  });
}
