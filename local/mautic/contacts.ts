/** Single contacts: new, get, edit, delete, points (docs/mautic.md, "Saving a contact"). */
import { created, notFound, ok } from "./answers.ts";
import { contactEvent, touch } from "./contact_events.ts";
import { answerOf, saveContact, type Saved } from "./contact_save.ts";
import { emit } from "./hook_delivery.ts";
import type { Call } from "./mautic.ts";
import { isObject, phpArray } from "./php.ts";
import { serialiseContact } from "./serialise.ts";
import { findContact, removeContact } from "./state.ts";
import type { Answer, Contact, JsonObject } from "./types.ts";

export function getContact(call: Call, id: number): Answer {
  const contact = findContact(call.mautic.state, id);
  return contact ? ok({ contact: shown(call, contact) }) : notFound();
}

export async function newContact(call: Call): Promise<Answer> {
  return answer(call, await saveContact(call, bodyOf(call), { mode: "post", contact: null }));
}

/** PATCH to a missing id is 404; PUT creates another contact with an id of its own. */
export async function editContact(call: Call, id: number): Promise<Answer> {
  const contact = findContact(call.mautic.state, id);
  const mode = call.request.method === "PUT" ? "put" : "patch";
  if (!contact && mode === "patch") return notFound();
  return answer(call, await saveContact(call, bodyOf(call), { mode, contact }));
}

function answer(call: Call, saved: Saved): Answer {
  if (saved.kind === "refused") {
    return { status: saved.status, body: { errors: [saved.error] } };
  }
  const body = { contact: answerOf(call.mautic, saved) };
  return saved.created ? created(body, `/api/contacts/${saved.contact.id}`) : ok(body);
}

export async function deleteContact(call: Call, id: number): Promise<Answer> {
  const contact = findContact(call.mautic.state, id);
  if (!contact) return notFound();
  await erase(call, contact, false);
  return ok({ contact: shown(call, contact, true) });
}

/** Ids that do not exist are just missing; here the entries keep their id (recorded). */
export async function deleteContacts(call: Call): Promise<Answer> {
  const ids = String(call.request.query.ids ?? "").split(",").map(Number);
  const deleted: Contact[] = [];
  for (const id of ids) {
    const contact = call.mautic.state.contacts.get(id);
    if (!contact) continue;
    await erase(call, contact, true);
    deleted.push(contact);
  }
  const entries = deleted.map((contact, index): [string, JsonObject] => [
    String(index),
    shown(call, contact),
  ]);
  return ok({ contacts: phpArray(entries) });
}

async function erase(call: Call, contact: Contact, all: boolean): Promise<void> {
  const { mautic, actor } = call;
  removeContact(mautic.state, contact);
  await emit(mautic, actor.author, [
    contactEvent(mautic, contact, "mautic.lead_post_delete", {
      before: { id: contact.id },
      view: { deleted: true, all, keepsFlatId: true },
    }),
  ]);
}

/** Recorded: the delivery of this endpoint carries the old points beside the new ones. */
export async function changePoints(call: Call, id: number, delta: number): Promise<Answer> {
  const { mautic, actor } = call;
  const contact = findContact(mautic.state, id);
  if (!contact) return notFound();
  const oldPoints = contact.points;
  touch(mautic, contact, actor.author);
  const sending = emit(mautic, actor.author, [
    contactEvent(mautic, contact, "mautic.lead_points_change", {
      extra: { points: { old_points: oldPoints, new_points: oldPoints + delta } },
    }),
    contactEvent(mautic, contact, "mautic.lead_post_save_update", {}),
  ]);
  contact.points = oldPoints + delta;
  await sending;
  return ok({ success: 1 });
}

function shown(call: Call, contact: Contact, deleted = false): JsonObject {
  const shapes = { fields: call.mautic.state.fields, users: call.mautic.users };
  return serialiseContact(contact, shapes, { all: true, integers: true, deleted });
}

function bodyOf(call: Call): JsonObject {
  return isObject(call.request.body) ? call.request.body : {};
}
