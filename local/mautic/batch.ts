/** `batch/new` and `batch/edit` with their recorded oddities (docs/mautic.md, "Batches"). */
import { exception, failure, ok } from "./answers.ts";
import { answerOf, saveContact } from "./contact_save.ts";
import type { Call } from "./mautic.ts";
import { isObject, phpArray, toInteger } from "./php.ts";
import { serialiseContact } from "./serialise.ts";
import { findContact, insertContact, newContact, nextId } from "./state.ts";
import type { Answer, Contact, Json, JsonObject } from "./types.ts";

/** `api_batch_max_limit` */
const MAXIMUM = 200;

interface Results {
  contacts: [string, Json][];
  statusCodes: [string, Json][];
  errors: [string, Json][];
}

function readItems(body: Json): [string, Json][] | Answer {
  const items: [string, Json][] = Array.isArray(body)
    ? body.map((item, index) => [String(index), item])
    : Object.entries(isObject(body) ? body : {});
  if (items.length > MAXIMUM) {
    return failure(500, `A max of ${MAXIMUM} entities are supported at a time.`);
  }
  return items;
}

function respond(status: number, results: Results): Answer {
  const body: JsonObject = {
    contacts: phpArray(results.contacts),
    statusCodes: phpArray(results.statusCodes),
  };
  if (results.errors.length > 0) body.errors = phpArray(results.errors);
  return ok(body, status);
}

/** 201 whatever happened per item; an item that is no object ends the request after its forerunners. */
export async function batchNew(call: Call): Promise<Answer> {
  const items = readItems(call.request.body);
  if (!Array.isArray(items)) return items;
  const results: Results = { contacts: [], statusCodes: [], errors: [] };
  for (const [key, item] of items) {
    if (!isObject(item) && !(Array.isArray(item) && item.length === 0)) return exception(500);
    const body = isObject(item) ? item : {};
    const saved = await saveContact(call, body, { mode: "post", contact: null, inBatch: true });
    if (saved.kind === "refused") {
      results.statusCodes.push([key, saved.status]);
      results.errors.push([key, { ...saved.error, type: null }]);
    } else {
      results.statusCodes.push([key, saved.created ? 201 : 200]);
      results.contacts.push([key, answerOf(call.mautic, saved)]);
    }
  }
  return respond(201, results);
}

/**
 * Contacts are found by position in the list of ids, which is shorter than the list of items when
 * one lacks its id: everything after it lands on its neighbour.
 */
export async function batchEdit(call: Call): Promise<Answer> {
  const items = readItems(call.request.body);
  if (!Array.isArray(items)) return items;
  const mode = call.request.method === "PUT" ? "put" : "patch";
  const results: Results = { contacts: [], statusCodes: [], errors: [] };
  const errors = new Map<string, JsonObject>();
  const ids: number[] = [];
  for (const [key, item] of items) {
    if (isObject(item) && item.id !== undefined && item.id !== null) ids.push(toInteger(item.id));
    else errors.set(key, itemError(400, "mautic.api.call.id_missing"));
  }
  const contacts = ids.map((id) => findContact(call.mautic.state, id));
  const saved = new Set<number>();
  const listed: [string, Contact][] = [];
  const views = new Map<Contact, JsonObject>();

  for (const [position, [key, item]] of items.entries()) {
    const contact = contacts[position] ?? null;
    if (!isObject(item)) return exception(500);
    if (!call.actor.isAdmin) {
      const message = "You do not have access to the requested area/action.";
      errors.set(key, itemError(403, message));
    }
    if (!call.actor.isAdmin || (!contact && mode === "patch")) {
      if (call.actor.isAdmin) errors.set(key, itemError(404, "Item was not found."));
      results.statusCodes.push([key, toInteger(errors.get(key)?.code)]);
      continue;
    }
    const isSecond = contact !== null && saved.has(contact.id);
    // The first save detached the entity: a tagged one cannot be written again, an untagged one
    // is inserted as a duplicate.
    if (isSecond && contact.tags.length > 0) return exception(500);
    const insertCopy = isSecond ? copyOf(call, contact) : undefined;
    const outcome = await saveContact(call, item, {
      mode,
      contact,
      fromList: mode === "patch",
      ...(insertCopy ? { insertCopy } : {}),
    });
    if (outcome.kind === "refused") {
      errors.set(key, { ...outcome.error, type: null });
      results.statusCodes.push([key, outcome.status]);
      if (contact) {
        listed.push([key, contact]);
        views.set(contact, unchanged(call, contact));
      }
      continue;
    }
    saved.add(outcome.contact.id);
    if (contact) saved.add(contact.id);
    results.statusCodes.push([key, toInteger(errors.get(key)?.code) || 200]);
    listed.push([key, contact ?? outcome.contact]);
    views.set(contact ?? outcome.contact, answerOf(call.mautic, outcome));
  }
  for (const [key, contact] of listed) {
    results.contacts.push([key, views.get(contact) ?? null]);
  }
  results.errors = [...errors];
  return respond(200, results);
}

function itemError(code: number, message: string): JsonObject {
  return { message, code, type: "api" };
}

/** A failed item stays listed, as it was loaded: unchanged and without `fields.all`. */
function unchanged(call: Call, contact: Contact): JsonObject {
  const shapes = { fields: call.mautic.state.fields, users: call.mautic.users };
  return serialiseContact(contact, shapes, { strings: true });
}

function copyOf(call: Call, contact: Contact): Contact {
  const { state } = call.mautic;
  const copy: Contact = {
    ...newContact(nextId(state, "contact"), contact.dateAdded, contact.createdBy),
    values: new Map(contact.values),
    points: contact.points,
    dateModified: contact.dateModified,
    dateIdentified: contact.dateIdentified,
    modifiedBy: contact.modifiedBy,
    ownerId: contact.ownerId,
  };
  insertContact(state, copy);
  call.mautic.onContactCreated();
  return copy;
}
