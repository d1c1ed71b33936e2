/** Native UTM tags: append-only sets on a contact (docs/mautic.md, "UTM tags"). */
import { badRequest, notFound, ok } from "./answers.ts";
import { contactEvent, touch } from "./contact_events.ts";
import { parseDate } from "./field_values.ts";
import { emit } from "./hook_delivery.ts";
import type { Call } from "./mautic.ts";
import { isObject } from "./php.ts";
import { serialiseContact } from "./serialise.ts";
import { findContact, nextId } from "./state.ts";
import type { Answer, Contact } from "./types.ts";

/** Every call adds a set: not idempotent. */
export async function addUtmTags(call: Call, id: number): Promise<Answer> {
  const { mautic, request } = call;
  const contact = findContact(mautic.state, id);
  if (!contact) return notFound();
  const body = isObject(request.body) ? request.body : {};
  const text = (...names: string[]) => {
    const value = names.map((name) => body[name]).find((item) => typeof item === "string");
    return typeof value === "string" && value !== "" ? value.slice(0, 191) : null;
  };
  const lastActive = text("lastActive");
  contact.utmTags.push({
    id: nextId(mautic.state, "utmTag"),
    dateAdded: (lastActive && parseDate(lastActive)) || mautic.clock.now(),
    query: isObject(body.query) ? body.query : {},
    referer: text("referer"),
    remoteHost: text("remote_host", "remotehost"),
    url: text("url"),
    userAgent: text("user_agent", "useragent"),
    campaign: text("utm_campaign"),
    content: text("utm_content"),
    medium: text("utm_medium"),
    source: text("utm_source"),
    term: text("utm_term"),
  });
  await tellChange(call, contact);
  return ok({ contact: shown(call, contact) });
}

export async function removeUtmTags(call: Call, id: number, utmId: number): Promise<Answer> {
  const contact = findContact(call.mautic.state, id);
  if (!contact) return notFound();
  if (!contact.utmTags.some((tag) => tag.id === utmId)) return badRequest();
  contact.utmTags = contact.utmTags.filter((tag) => tag.id !== utmId);
  await tellChange(call, contact);
  return ok({ recordFound: true, contact: shown(call, contact) });
}

async function tellChange({ mautic, actor }: Call, contact: Contact): Promise<void> {
  touch(mautic, contact, actor.author);
  await emit(mautic, actor.author, [
    contactEvent(mautic, contact, "mautic.lead_post_save_update", {}),
  ]);
}

function shown({ mautic }: Call, contact: Contact) {
  const shapes = { fields: mautic.state.fields, users: mautic.users };
  return serialiseContact(contact, shapes, { plain: true });
}
